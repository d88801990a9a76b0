//! Which of two or more systems is preferred: the sign test, and the strengths of Bradley and Terry (1952).

/// Two-sided p of the exact sign test: how often a fair coin thrown `wins + losses` times is as uneven, as
/// `scipy.stats.binomtest(wins, wins + losses)` has it. 1 where nothing was thrown.
///
/// p = min(1, 2 Σ C(n, i) / 2ⁿ) over i = 0 ..= min(wins, losses): the coin being fair, the two tails are equal.
///
/// ```
/// // 2 (1 + 5) / 2⁵
/// assert_eq!(tezgah::statistics::sign_test(4, 1), 0.375);
/// ```
pub fn sign_test(wins: usize, losses: usize) -> f64 {
    let (n, fewer) = (wins + losses, wins.min(losses));
    // C(n, fewer) / 2ⁿ. Halved whenever it grows above 1: the binomial of 1100 throws alone is beyond f64.
    let mut term: f64 = 1.0;
    let mut halvings = n;
    for i in 1..=fewer {
        term *= (n - fewer + i) as f64 / i as f64;
        while term > 1.0 && halvings > 0 {
            term /= 2.0;
            halvings -= 1;
        }
    }
    for _ in 0..halvings {
        term /= 2.0;
    }
    // From the largest term down: C(n, i - 1) = C(n, i) i / (n - i + 1).
    let mut tail: f64 = 0.0;
    for i in (0..=fewer).rev() {
        tail += term;
        term *= i as f64 / (n - i + 1) as f64;
    }
    (2.0 * tail).min(1.0)
}

/// A strength that moves by less than this share in a step has settled.
const SETTLED: f64 = 1e-13;

/// Steps after which the strengths of a table count as not to be found: some milliseconds for three systems.
const MOST_STEPS: usize = 100_000;

/// Bradley and Terry's strengths, which sum to 1: system i is preferred to j with chance s_i / (s_i + s_j). They maximize
/// the likelihood of `wins[i][j]`, the times i was preferred to j, a tie being half a win for each side; the diagonal takes
/// no part.
///
/// The way there is Hunter's (2004) minorization: s_i becomes Σ_j w_ij over Σ_j (w_ij + w_ji) / (s_i + s_j), all divided by
/// their sum, until none moves. Two systems have w / (w + l) after one step.
///
/// `None` where the strengths are not determined: Ford's condition (1957) is that from every system a chain of wins leads
/// to every other, so that no group of systems won, or lost, all it had with the others. Two systems need only have met:
/// where one won every time its strength is 1. `None` also where the table is not square, of fewer than two systems, or
/// holds what is no count; and where 100,000 steps do not settle it.
///
/// ```
/// use tezgah::statistics::bradley_terry;
/// let strengths = bradley_terry(&[vec![0.0, 30.0], vec![10.0, 0.0]]).expect("both won");
/// assert!((strengths[0] - 0.75).abs() < 1e-12 && (strengths[1] - 0.25).abs() < 1e-12);
/// // The second of three never won: nothing says how much weaker it is.
/// assert_eq!(bradley_terry(&[vec![0.0, 3.0, 2.0], vec![0.0, 0.0, 0.0], vec![1.0, 2.0, 0.0]]), None);
/// ```
pub fn bradley_terry(wins: &[Vec<f64>]) -> Option<Vec<f64>> {
    let is_count = |count: &f64| count.is_finite() && *count >= 0.0;
    let is_table = wins.iter().all(|row| row.len() == wins.len() && row.iter().all(is_count));
    if wins.len() < 2 || !is_table || !is_determined(wins) {
        return None;
    }
    let mut strengths = vec![1.0 / wins.len() as f64; wins.len()];
    for _ in 0..MOST_STEPS {
        let next = step(wins, &strengths);
        let mut moves = next.iter().zip(&strengths);
        let is_settled = moves.all(|(next, last)| (next - last).abs() <= SETTLED * next);
        strengths = next;
        if is_settled {
            return Some(strengths);
        }
    }
    None
}

/// One step of Hunter's, to strengths that sum to 1.
fn step(wins: &[Vec<f64>], strengths: &[f64]) -> Vec<f64> {
    let of = |system: usize| {
        let (mut won, mut weighed) = (0.0, 0.0);
        for other in (0..wins.len()).filter(|&other| other != system) {
            won += wins[system][other];
            weighed += (wins[system][other] + wins[other][system]) / (strengths[system] + strengths[other]);
        }
        won / weighed
    };
    let next: Vec<f64> = (0..wins.len()).map(of).collect();
    let sum: f64 = next.iter().sum();
    next.into_iter().map(|strength| strength / sum).collect()
}

/// Whether the likelihood has one maximum among strengths that sum to 1; of at least two systems.
fn is_determined(wins: &[Vec<f64>]) -> bool {
    if wins.len() == 2 {
        return wins[0][1] + wins[1][0] > 0.0;
    }
    // All are reached from the first, and the first from all: then each is from each.
    reaches_all(wins.len(), |from, to| wins[from][to] > 0.0)
        && reaches_all(wins.len(), |from, to| wins[to][from] > 0.0)
}

/// Whether the arrows lead from the first of `systems` to all others.
fn reaches_all(systems: usize, has_arrow: impl Fn(usize, usize) -> bool) -> bool {
    let mut reached = vec![false; systems];
    reached[0] = true;
    let mut open = vec![0];
    while let Some(from) = open.pop() {
        let further: Vec<usize> = (0..systems).filter(|&to| !reached[to] && has_arrow(from, to)).collect();
        for &to in &further {
            reached[to] = true;
        }
        open.extend(further);
    }
    reached.into_iter().all(|is_reached| is_reached)
}
