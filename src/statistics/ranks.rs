//! What the order of numbers says: their mean ranks and their median.

/// Mean ranks, doubled: twice a mean rank is whole, so that sums and squares of ranks are exact.
pub(super) struct Ranks {
    /// Twice the mean rank of each number, in the order given.
    pub(super) doubled: Vec<usize>,
    /// How many numbers are in each group of equal ones, from the smallest number up.
    pub(super) tie_sizes: Vec<usize>,
}

impl Ranks {
    /// Ranks `values` from the smallest, 1, to the largest; equal ones share the mean of their ranks.
    pub(super) fn of(values: &[f64]) -> Ranks {
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_unstable_by(|&left, &right| values[left].total_cmp(&values[right]));
        let mut doubled = vec![0; values.len()];
        let mut tie_sizes = Vec::new();
        let mut ranked = 0;
        for group in order.chunk_by(|&left, &right| values[left] == values[right]) {
            // A group after m numbers holds the ranks m + 1 ..= m + t: their mean doubled is 2 m + t + 1.
            for &index in group {
                doubled[index] = 2 * ranked + group.len() + 1;
            }
            ranked += group.len();
            tie_sizes.push(group.len());
        }
        Ranks { doubled, tie_sizes }
    }

    /// Twice the distance of each rank from the mean of all, (n + 1) / 2: whole numbers that sum to 0.
    pub(super) fn centred(&self) -> impl Iterator<Item = f64> {
        let middle = self.doubled.len() as f64 + 1.0;
        self.doubled.iter().map(move |&rank| rank as f64 - middle)
    }

    /// Σ (t³ - t) over the groups of t equal numbers.
    pub(super) fn ties(&self) -> f64 {
        let sizes = self.tie_sizes.iter().map(|&size| size as f64);
        sizes.map(|size| size * size * size - size).sum()
    }
}

/// The rank of each of `values`, from 1 for the smallest; equal ones share the mean of their ranks.
///
/// ```
/// assert_eq!(tezgah::statistics::ranks(&[0.3, 0.1, 0.3, 0.9]), [2.5, 1.0, 2.5, 4.0]);
/// ```
pub fn ranks(values: &[f64]) -> Vec<f64> {
    Ranks::of(values).doubled.into_iter().map(|rank| rank as f64 / 2.0).collect()
}

/// The middle one of `values`, or the mean of the middle two; `None` where there are none, or one is no finite number.
pub fn median(values: &[f64]) -> Option<f64> {
    if values.is_empty() || !values.iter().all(|value| value.is_finite()) {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let half = sorted.len() / 2;
    Some(if sorted.len() % 2 == 1 { sorted[half] } else { sorted[half - 1].midpoint(sorted[half]) })
}
