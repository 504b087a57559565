//! The contract's own rules: money, limits, and documents that must not fall behind.

use mirra_host_sdk::{ErrorCode, Limits, PriceTable, Usd};

#[test]
fn every_error_code_is_documented_with_its_status() {
    let page = include_str!("../../docs/errors.md");
    for code in ErrorCode::ALL {
        let (_, section) = page.split_once(&format!("## {code}\n")).unwrap_or_else(|| panic!("docs/errors.md lacks {code}"));
        assert!(section.starts_with(&format!("HTTP {}.", code.http_status())), "docs/errors.md has another status for {code}");
    }
}

#[test]
fn every_limit_is_documented() {
    let page = include_str!("../../docs/limits.md");
    let limits = serde_json::to_value(Limits::default()).unwrap();
    for name in limits.as_object().unwrap().keys() {
        assert!(page.contains(&format!("| `{name}` |")), "docs/limits.md lacks {name}");
    }
}

#[test]
fn money_is_exact() {
    let tenth: Usd = "0.1".parse().unwrap();
    let sum: Usd = std::iter::repeat_n(tenth, 10).sum();
    assert_eq!(sum.to_string(), "1");
    let smallest: Usd = "0.000000000001".parse().unwrap();
    assert_eq!((sum + smallest).to_string(), "1.000000000001");
    assert_eq!(serde_json::to_string(&(sum + smallest)).unwrap(), "1.000000000001");
    assert_eq!("2e-6".parse::<Usd>(), "0.000002".parse());
    assert_eq!(serde_json::from_str::<Usd>("0.25").unwrap(), serde_json::from_str::<Usd>("\"0.25\"").unwrap());
}

#[test]
fn what_is_no_amount_is_refused() {
    for text in ["", ".", "-1", "+1", "1e", "e3", "1e-13", "1e400", "0.0000000000001", "1,5", "NaN", "99999999999999999999"] {
        assert!(text.parse::<Usd>().is_err(), "{text} was taken for an amount");
    }
}

#[test]
fn a_started_unit_is_paid() {
    let prices = PriceTable { call_usd: Usd::ZERO, ..PriceTable::default() };
    assert!(prices.running(1, 0, 0) > Usd::ZERO);
    assert_eq!(prices.running(1_000_000_000, 0, 0), prices.fuel_billion_usd);
    assert_eq!(prices.running(0, 1 << 30, 1_000_000), prices.memory_gb_second_usd);
}

#[test]
fn limits_outside_their_range_are_refused_by_name() {
    let error = Limits::default().with_timeout_s(301).unwrap_err();
    assert_eq!((error.field, error.max), ("timeout", 300));
    let error = Limits::default().with_memory_mb(64).unwrap_err();
    assert_eq!(error.to_string(), "memory must be between 128 and 3008 MB, and is 64");
    assert_eq!(Limits::default().with_memory_mb(1024).unwrap().cpu_weight(), 8);
}
