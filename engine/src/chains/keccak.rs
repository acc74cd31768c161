//! Keccak-256 as Ethereum has it, for addresses and for nothing that must be kept secret. What is digested is
//! a key of sixty-four bytes or an address of forty letters, so one block is all there is.

const RATE: usize = 136;
const ROUNDS: usize = 24;
const ROUND: [u64; ROUNDS] = [
    0x0000_0000_0000_0001,
    0x0000_0000_0000_8082,
    0x8000_0000_0000_808a,
    0x8000_0000_8000_8000,
    0x0000_0000_0000_808b,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8009,
    0x0000_0000_0000_008a,
    0x0000_0000_0000_0088,
    0x0000_0000_8000_8009,
    0x0000_0000_8000_000a,
    0x0000_0000_8000_808b,
    0x8000_0000_0000_008b,
    0x8000_0000_0000_8089,
    0x8000_0000_0000_8003,
    0x8000_0000_0000_8002,
    0x8000_0000_0000_0080,
    0x0000_0000_0000_800a,
    0x8000_0000_8000_000a,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8080,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8008,
];
const ROTATION: [u32; 24] = [
    1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44,
];
const PLACE: [usize; 24] = [
    10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1,
];

/// The digest of a text of one block.
pub(crate) fn keccak256(text: &[u8]) -> [u8; 32] {
    assert!(text.len() < RATE, "what is digested is one block");
    let mut block = [0; RATE];
    block[..text.len()].copy_from_slice(text);
    block[text.len()] = 0x01;
    block[RATE - 1] |= 0x80;
    let mut state = [0_u64; 25];
    for (lane, bytes) in state.iter_mut().zip(block.chunks_exact(8)) {
        *lane = u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
    }
    for round in ROUND {
        permute(&mut state, round);
    }
    let mut digest = [0; 32];
    for (bytes, lane) in digest.chunks_exact_mut(8).zip(state) {
        bytes.copy_from_slice(&lane.to_le_bytes());
    }
    digest
}

fn permute(state: &mut [u64; 25], round: u64) {
    let columns: [u64; 5] =
        std::array::from_fn(|x| (0..5).fold(0, |sum, y| sum ^ state[x + 5 * y]));
    for x in 0..5 {
        let mixed = columns[(x + 4) % 5] ^ columns[(x + 1) % 5].rotate_left(1);
        for y in 0..5 {
            state[x + 5 * y] ^= mixed;
        }
    }
    let mut carried = state[1];
    for (place, rotation) in PLACE.into_iter().zip(ROTATION) {
        let next = state[place];
        state[place] = carried.rotate_left(rotation);
        carried = next;
    }
    for y in 0..5 {
        let row: [u64; 5] = std::array::from_fn(|x| state[x + 5 * y]);
        for (x, lane) in row.iter().enumerate() {
            state[x + 5 * y] = lane ^ (!row[(x + 1) % 5] & row[(x + 2) % 5]);
        }
    }
    state[0] ^= round;
}
