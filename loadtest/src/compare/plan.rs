//! What is compared: stages, their sides, their shapes.
//!
//! Keeps: within a stage the sides run by turns (A B C A B C ...), so that whatever changes on the
//! machine changes for all of them.

use std::time::Duration;

use super::{
    run::{Shape, Window},
    subject::Side,
};

pub(crate) struct Stage {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) shape: Shape,
    pub(crate) sides: &'static [Side],
}

const THREE: &[Side] = &[Side::Engine, Side::Transaction, Side::Procedure];
const TWO: &[Side] = &[Side::Engine, Side::Transaction];

pub(crate) const fn shape(hot: bool, connections: usize, rows: usize) -> Shape {
    Shape {
        hot,
        connections,
        rows,
    }
}

/// On the disk as it is.
pub(crate) const STAGES: &[Stage] = &[
    Stage {
        name: "uniform-64",
        what: "1000 products x 1000 resellers, 64 connections",
        shape: shape(false, 64, 1),
        sides: THREE,
    },
    Stage {
        name: "hot-64",
        what: "one hot product and reseller, 64 connections",
        shape: shape(true, 64, 1),
        sides: THREE,
    },
    Stage {
        name: "uniform-256",
        what: "1000 products x 1000 resellers, 256 connections",
        shape: shape(false, 256, 1),
        sides: &[
            Side::Engine,
            Side::Memory,
            Side::Echo,
            Side::Transaction,
            Side::Procedure,
        ],
    },
    Stage {
        name: "hot-256",
        what: "one hot product and reseller, 256 connections",
        shape: shape(true, 256, 1),
        sides: THREE,
    },
    Stage {
        name: "single",
        what: "1000 products x 1000 resellers, 1 connection",
        shape: shape(false, 1, 1),
        sides: THREE,
    },
    Stage {
        name: "batch",
        what: "batch endpoint, 100 orders a request, 16 connections",
        shape: shape(false, 16, 100),
        sides: &[Side::Engine, Side::Raw],
    },
];

/// With a delayed flush, named by its milliseconds.
pub(crate) fn slow(milliseconds: u64) -> Vec<Stage> {
    match milliseconds {
        1 => vec![
            Stage {
                name: "slow-1-uniform-64",
                what: "+1 ms a flush, 1000 x 1000, 64 connections",
                shape: shape(false, 64, 1),
                sides: TWO,
            },
            Stage {
                name: "slow-1-hot-64",
                what: "+1 ms a flush, one hot product and reseller, 64 connections",
                shape: shape(true, 64, 1),
                sides: TWO,
            },
        ],
        _ => vec![Stage {
            name: "slow-4-uniform-64",
            what: "+4 ms a flush, 1000 x 1000, 64 connections",
            shape: shape(false, 64, 1),
            sides: TWO,
        }],
    }
}

/// Long enough to be steady, short enough that a whole comparison does not sell out.
pub(crate) fn window(quick: bool, shape: Shape) -> Window {
    let (warm_up, measured) = match (quick, shape.rows > 1) {
        (true, _) => (700, 2000),
        (false, true) => (500, 2500),
        (false, false) => (1000, 4000),
    };
    Window {
        warm_up: Duration::from_millis(warm_up),
        measured: Duration::from_millis(measured),
    }
}
