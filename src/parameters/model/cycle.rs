//! Parameters that wait for each other: none of them could ever be chosen.

use std::collections::HashSet;

/// The shortest way from `start` by `edges` back to `start`, both ends included; `None` when there is none.
pub fn through<'a>(start: &'a str, edges: impl Fn(&str) -> Vec<&'a str>) -> Option<Vec<&'a str>> {
    let mut seen: HashSet<&str> = HashSet::new();
    let mut ways = std::collections::VecDeque::from([vec![start]]);
    while let Some(way) = ways.pop_front() {
        for next in way.last().map(|last| edges(last)).unwrap_or_default() {
            let mut longer = way.clone();
            longer.push(next);
            if next == start {
                return Some(longer);
            }
            if seen.insert(next) {
                ways.push_back(longer);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn way(start: &'static str, pairs: &[(&'static str, &'static str)]) -> Option<String> {
        let of = |from: &str| pairs.iter().filter(|(own, _)| *own == from).map(|(_, to)| *to).collect();
        through(start, of).map(|way| way.join(" "))
    }

    #[test]
    fn cycles_are_named() {
        assert_eq!(way("a", &[("a", "b"), ("b", "c"), ("c", "a")]).as_deref(), Some("a b c a"));
        assert_eq!(way("a", &[("a", "a")]).as_deref(), Some("a a"));
        assert_eq!(way("a", &[("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]), None);
        assert_eq!(way("a", &[("a", "b"), ("b", "c"), ("c", "b")]), None, "a cycle elsewhere is not this one's");
    }

    proptest! {
        /// Whoever points only to those that are there already never comes back; one arrow back closes a cycle
        /// exactly when there is a way there.
        #[test]
        fn only_a_way_back_is_a_cycle(arrows in prop::collection::vec((0usize..12, 0usize..12), 0..40), back in (0usize..12, 0usize..12)) {
            let names: Vec<String> = (0..12).map(|number| number.to_string()).collect();
            let mut down: HashMap<usize, Vec<usize>> = HashMap::new();
            for (from, to) in arrows.iter().filter(|(from, to)| from > to) {
                down.entry(*from).or_default().push(*to);
            }
            let edges = |graph: &HashMap<usize, Vec<usize>>, from: &str| -> Vec<&str> {
                let from: usize = from.parse().unwrap();
                graph.get(&from).into_iter().flatten().map(|to| names[*to].as_str()).collect()
            };
            for name in &names {
                prop_assert_eq!(through(name, |from| edges(&down, from)), None);
            }
            let (from, to) = back;
            let mut reached = vec![to];
            let mut place = 0;
            while place < reached.len() {
                for next in down.get(&reached[place]).into_iter().flatten() {
                    if !reached.contains(next) {
                        reached.push(*next);
                    }
                }
                place += 1;
            }
            let mut with_back = down.clone();
            with_back.entry(from).or_default().push(to);
            let found = through(&names[from], |from| edges(&with_back, from));
            prop_assert_eq!(found.is_some(), reached.contains(&from));
            if let Some(way) = found {
                prop_assert!(way.len() >= 2 && way.first() == way.last());
                for pair in way.windows(2) {
                    prop_assert!(edges(&with_back, pair[0]).contains(&pair[1]));
                }
            }
        }
    }
}
