//! Made-up customers as a CSV file: English and Chinese names, some IDs and tags missing, the same at every start.

use std::fmt::Write;

const GIVEN: [&str; 20] = [
    "Ada", "Ben", "Clara", "David", "Ella", "Felix", "Grace", "Henry", "Iris", "Jonas", "Kate", "Leo", "Maya", "Noah",
    "Olive", "Paul", "Rosa", "Sam", "Tess", "Victor",
];
const FAMILY: [&str; 20] = [
    "Adams", "Baker", "Carter", "Dalton", "Ellis", "Foster", "Graham", "Hughes", "Irving", "Jordan", "Keller", "Lane",
    "Mason", "Norton", "Owens", "Parker", "Reed", "Stone", "Turner", "Ward",
];
const CHINESE_FAMILY: [&str; 16] =
    ["王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "胡", "朱", "高", "林"];
const CHINESE_GIVEN: [&str; 16] =
    ["伟", "芳", "娜", "敏", "静", "磊", "强", "洋", "艳", "勇", "杰", "娟", "涛", "明", "霞", "平"];
const CITIES: [&str; 6] = ["London", "Leeds", "Bristol", "上海", "北京", "杭州"];
const LEVELS: [&str; 3] = ["gold", "silver", "bronze"];

/// Small numbers that look random and are the same every time (a linear congruence).
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }

    fn one_of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len() as u64) as usize]
    }
}

/// The file's text: `customers` rows below a header.
pub fn csv(customers: usize) -> String {
    let mut dice = Dice(2_026);
    let mut text =
        String::from("customer_id,OPEN_ID,MOBILE,EMAIL,name,city,level,orders,spend,last_order,newsletter\n");
    for number in 1..=customers {
        let chinese = dice.below(5) < 2;
        let name = if chinese {
            let second = if dice.below(2) == 0 { dice.one_of(&CHINESE_GIVEN) } else { "" };
            format!("{}{}{second}", dice.one_of(&CHINESE_FAMILY), dice.one_of(&CHINESE_GIVEN))
        } else {
            format!("{} {}", dice.one_of(&GIVEN), dice.one_of(&FAMILY))
        };
        let some = |dice: &mut Dice, percent: u64, value: String| {
            if dice.below(100) < percent { value } else { String::new() }
        };
        let open_id = some(&mut dice, 97, format!("o6_demo{number:06}"));
        let mobile = some(&mut dice, 80, format!("+99900{number:07}"));
        let email = some(&mut dice, 60, format!("customer{number}@example.com"));
        let name = some(&mut dice, 98, name);
        let city = if chinese { dice.one_of(&CITIES[3..]) } else { dice.one_of(&CITIES[..3]) };
        let city = some(&mut dice, 95, city.to_string());
        let orders = dice.below(20);
        let spend = orders * (5 + dice.below(60));
        let last = format!("2026-{:02}-{:02}", 1 + dice.below(10), 1 + dice.below(28));
        let last = if orders == 0 { String::new() } else { last };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "C{number:05},{open_id},{mobile},{email},{name},{city},{},{orders},{spend}.{:02},{last},{}",
            dice.one_of(&LEVELS),
            dice.below(100),
            if dice.below(3) == 0 { "no" } else { "yes" }
        );
    }
    text
}
