//! A walk through every combination of choices, depth first: each path is replayed from its beginning.

/// The choices of the path that is walked, and of how many each was one.
#[derive(Debug, Default)]
pub(super) struct Choices {
    path: Vec<(usize, usize)>,
    walked: usize,
}

impl Choices {
    /// One of so many; the first of them where no path has been yet.
    ///
    /// # Panics
    /// If this is not the choice that was there when the path was walked before.
    pub(super) fn choose(&mut self, of: usize) -> usize {
        if self.walked == self.path.len() {
            self.path.push((0, of));
        }
        let (chosen, among) = self.path[self.walked];
        assert_eq!(among, of, "a path is the same whenever it is walked");
        self.walked += 1;
        chosen
    }

    /// Goes on to the next path, if there is one.
    pub(super) fn next(&mut self) -> bool {
        self.path.truncate(self.walked);
        self.walked = 0;
        while let Some((chosen, of)) = self.path.pop() {
            if chosen + 1 < of {
                self.path.push((chosen + 1, of));
                return true;
            }
        }
        false
    }
}

#[test]
fn every_combination_is_walked_once() {
    let mut choices = Choices::default();
    let mut walked = Vec::new();
    loop {
        let first = choices.choose(2);
        // What there is to choose from may follow from what was chosen.
        let second = if first == 0 { choices.choose(3) } else { 9 };
        walked.push((first, second));
        if !choices.next() {
            break;
        }
    }
    assert_eq!(walked, [(0, 0), (0, 1), (0, 2), (1, 9)]);
}
