//! The time zones to choose from.

/// Names that stand in the database of zones and are none of a place.
const OTHER: [&str; 4] = ["posix/", "right/", "Etc/", "SystemV/"];

/// IANA names of places, in the order of the alphabet, "UTC" first.
pub fn all() -> Vec<String> {
    let names = jiff::tz::db().available().map(|name| name.as_str().to_string());
    let of_place = |name: &String| name.contains('/') && !OTHER.iter().any(|other| name.starts_with(other));
    let mut names: Vec<String> = names.filter(of_place).collect();
    names.sort_unstable();
    names.dedup();
    names.insert(0, "UTC".into());
    names
}

/// Whether times can be shown in it.
pub fn is_zone(name: &str) -> bool {
    name.len() <= 64 && jiff::tz::TimeZone::get(name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_zone_to_choose_is_one() {
        let all = all();
        assert!(all.len() > 300 && all.len() < 1_000, "{}", all.len());
        assert!(all.iter().all(|name| is_zone(name)));
        for wrong in ["", "Moon/Base", "../../etc/passwd"] {
            assert!(!is_zone(wrong), "{wrong}");
        }
    }
}
