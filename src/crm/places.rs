//! The simulator's interface of parameters: provinces, their cities, their shops, in English and Chinese, a few to a
//! page. Whoever may see some regions only is told by the row-level permission `region`.

use super::{
    Answer, Shared,
    endpoint::{Signed, check, refuse, respond},
};
use crate::wire::interface::{self, Item, Request};
use axum::{
    Json,
    body::Bytes,
    extract::{Query, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode};
use std::sync::Arc;

pub const PATH: &str = "/interface/places";
/// Values on a page: so few that there are several.
const PAGE: usize = 3;

struct Province {
    value: &'static str,
    name: &'static str,
    region: &'static str,
    /// Value and name of each city.
    cities: &'static [(&'static str, &'static str)],
}

const PROVINCES: [Province; 7] = [
    Province {
        value: "zhejiang",
        name: "Zhejiang 浙江",
        region: "East",
        cities: &[
            ("hangzhou", "Hangzhou 杭州"),
            ("ningbo", "Ningbo 宁波"),
            ("wenzhou", "Wenzhou 温州"),
            ("shaoxing", "Shaoxing 绍兴"),
        ],
    },
    Province {
        value: "jiangsu",
        name: "Jiangsu 江苏",
        region: "East",
        cities: &[("nanjing", "Nanjing 南京"), ("suzhou", "Suzhou 苏州"), ("wuxi", "Wuxi 无锡")],
    },
    Province { value: "shanghai", name: "Shanghai 上海", region: "East", cities: &[("shanghai", "Shanghai 上海")] },
    Province { value: "beijing", name: "Beijing 北京", region: "North", cities: &[("beijing", "Beijing 北京")] },
    Province {
        value: "shandong",
        name: "Shandong 山东",
        region: "North",
        cities: &[("jinan", "Jinan 济南"), ("qingdao", "Qingdao 青岛")],
    },
    Province {
        value: "guangdong",
        name: "Guangdong 广东",
        region: "South",
        cities: &[("guangzhou", "Guangzhou 广州"), ("shenzhen", "Shenzhen 深圳"), ("foshan", "Foshan 佛山")],
    },
    Province {
        value: "sichuan",
        name: "Sichuan 四川",
        region: "West",
        cities: &[("chengdu", "Chengdu 成都"), ("mianyang", "Mianyang 绵阳")],
    },
];

/// Every city has these.
const SHOPS: [(&str, &str); 4] = [
    ("central", "Central Square 中心广场店"),
    ("station", "Railway Station 火车站店"),
    ("west-lake", "West Lake 西湖店"),
    ("airport", "Airport 机场店"),
];

pub async fn take(
    State(shared): State<Arc<Shared>>,
    Query(signed): Query<Signed>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Err(wrong) = check(shared.options.key.as_deref(), &signed, &headers, &body) {
        return refuse(StatusCode::UNAUTHORIZED, "BAD_SIGNATURE", &wrong);
    }
    let request: Request = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => return refuse(StatusCode::BAD_REQUEST, "BAD_BODY", &error.to_string()),
    };
    let answer = shared.answer();
    if answer == Answer::Slow {
        tokio::time::sleep(shared.options.slow).await;
    }
    if !answer.takes() {
        return respond(answer);
    }
    match values(&request) {
        Ok(values) => Json(page(values, request.page)).into_response(),
        Err((code, message)) => refuse(StatusCode::OK, code, &message),
    }
}

/// All values of a parameter, or code and message of the refusal.
fn values(request: &Request) -> Result<Vec<Item>, (&'static str, String)> {
    let associated = |name: &str| {
        let value = request.associated.get(name).map(String::as_str).filter(|value| !value.is_empty());
        value.ok_or_else(|| ("MISSING", format!("associated.{name} is missing")))
    };
    let item = |value: String, name: &str| Item { value, name: name.into() };
    match request.parameter.to_lowercase().as_str() {
        "province" => {
            let regions = regions(request);
            let seen = |province: &&Province| {
                regions.as_ref().is_none_or(|regions| regions.iter().any(|region| region == province.region))
            };
            Ok(PROVINCES.iter().filter(seen).map(|province| item(province.value.into(), province.name)).collect())
        }
        "city" => {
            let wanted = associated("province")?;
            let cities = PROVINCES.iter().filter(|province| province.value == wanted).flat_map(|found| found.cities);
            Ok(cities.map(|(value, name)| item((*value).into(), name)).collect())
        }
        "shop" => {
            let wanted = associated("city")?;
            let known = PROVINCES.iter().flat_map(|province| province.cities).any(|(value, _)| *value == wanted);
            let shops = SHOPS.iter().filter(|_| known);
            Ok(shops.map(|(value, name)| item(format!("{wanted}-{value}"), name)).collect())
        }
        other => Err(("UNKNOWN_PARAMETER", format!("there is no parameter {other:?}"))),
    }
}

/// The regions that the user may see, when the permissions say so.
fn regions(request: &Request) -> Option<Vec<String>> {
    let all = request.system.values().filter_map(|value| value.get("region")?.as_array());
    let text = |region: &serde_json::Value| region.as_str().map(String::from);
    let regions: Vec<String> = all.flatten().filter_map(text).collect();
    (!regions.is_empty()).then_some(regions)
}

fn page(values: Vec<Item>, number: i64) -> interface::Answer {
    let first = usize::try_from(number - 1).unwrap_or_default().saturating_mul(PAGE);
    let next_page = (first.saturating_add(PAGE) < values.len()).then_some(number + 1);
    let data = values.into_iter().skip(first).take(PAGE).collect();
    interface::Answer { code: "OK".into(), message: String::new(), data: Some(data), next_page }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn asked(parameter: &str, associated: &[(&str, &str)], system: serde_json::Value) -> Result<Vec<String>, String> {
        let pair = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
        let request = Request {
            parameter: parameter.into(),
            associated: associated.iter().map(pair).collect(),
            system: [("permissions".to_string(), system)].into(),
            page: 1,
        };
        let values = values(&request).map_err(|(code, message)| format!("{code} {message}"))?;
        Ok(values.into_iter().map(|item| item.value).collect())
    }

    #[test]
    fn places_lie_in_each_other() {
        assert_eq!(asked("Province", &[], json!({})).unwrap().len(), PROVINCES.len());
        assert_eq!(asked("city", &[("province", "jiangsu")], json!({})).unwrap(), ["nanjing", "suzhou", "wuxi"]);
        assert_eq!(asked("city", &[("province", "atlantis")], json!({})).unwrap(), [""; 0]);
        assert_eq!(asked("SHOP", &[("city", "wuxi")], json!({})).unwrap()[0], "wuxi-central");
        assert_eq!(asked("shop", &[("city", "atlantis")], json!({})).unwrap(), [""; 0]);
        assert_eq!(asked("city", &[], json!({})), Err("MISSING associated.province is missing".into()));
        assert!(asked("planet", &[], json!({})).unwrap_err().starts_with("UNKNOWN_PARAMETER"));
    }

    #[test]
    fn permissions_narrow_the_provinces() {
        assert_eq!(asked("province", &[], json!({"region": ["North"]})).unwrap(), ["beijing", "shandong"]);
        assert_eq!(asked("province", &[], json!({"team": ["a"]})).unwrap().len(), PROVINCES.len());
    }

    #[test]
    fn pages_are_short_and_end() {
        let all: Vec<Item> = (0..7).map(|n| Item { value: n.to_string(), name: String::new() }).collect();
        let of = |number: i64| {
            let page = page(all.clone(), number);
            (page.data.unwrap().len(), page.next_page)
        };
        assert_eq!([of(1), of(2), of(3), of(4)], [(3, Some(2)), (3, Some(3)), (1, None), (0, None)]);
        assert_eq!(page(all[..3].to_vec(), 1).next_page, None);
    }
}
