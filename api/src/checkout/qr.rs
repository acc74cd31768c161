//! A text as a picture that the camera of a wallet reads: drawn here, a part of the page, without a script.

use std::fmt::Write as _;

use qrcode::{Color, EcLevel, QrCode};

/// White around it, as readers need it, in squares.
const MARGIN: usize = 4;

/// The picture, or none of a text that is too long for one.
pub(super) fn picture(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let side = code.width() + 2 * MARGIN;
    let mut dark = String::new();
    for (y, row) in code.to_colors().chunks(code.width()).enumerate() {
        let (mut x, y) = (MARGIN, y + MARGIN);
        for run in row.chunk_by(Color::eq) {
            let length = run.len();
            if run[0] == Color::Dark {
                let _written = write!(dark, "M{x} {y}h{length}v1h-{length}z");
            }
            x += length;
        }
    }
    Some(format!(
        "<svg class=\"qr\" role=\"img\" aria-label=\"The same for the camera of a wallet\" \
         viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\n\
         <path fill=\"#fff\" d=\"M0 0h{side}v{side}h-{side}z\"/>\n\
         <path fill=\"#000\" d=\"{dark}\"/>\n</svg>\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The dark squares of a picture, as (column, row) from its white edge.
    fn squares(svg: &str) -> Vec<(usize, usize)> {
        let (_, path) = svg.split_once("#000\" d=\"").unwrap();
        let (path, _) = path.split_once('"').unwrap();
        let runs = path.split('z').filter(|run| !run.is_empty());
        let run = |run: &str| {
            let numbers = run.split(['M', ' ', 'h', 'v']).skip(1);
            let numbers: Vec<usize> = numbers.take(3).map(|one| one.parse().unwrap()).collect();
            (0..numbers[2]).map(move |at| (numbers[0] + at - MARGIN, numbers[1] - MARGIN))
        };
        runs.flat_map(run).collect()
    }

    #[test]
    fn picture_has_the_squares_of_its_code() {
        let text =
            "ethereum:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed@1/transfer?uint256=59980000";
        let code = QrCode::with_error_correction_level(text, EcLevel::M).unwrap();
        let colors = code.to_colors();
        let dark = (0..colors.len()).filter(|at| colors[*at] == Color::Dark);
        let dark: Vec<_> = dark
            .map(|at| (at % code.width(), at / code.width()))
            .collect();
        let drawn = squares(&picture(text).unwrap());
        assert_eq!(drawn, dark);
        // Its three corners begin with seven dark squares.
        assert!(
            (0..7).all(|x| drawn.contains(&(x, 0)) && drawn.contains(&(code.width() - 1 - x, 0)))
        );
    }

    #[test]
    fn text_that_no_code_holds_has_no_picture() {
        assert!(picture(&"x".repeat(3000)).is_none());
    }
}
