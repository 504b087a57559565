//! What a resource costs. Pure: money is counted in exact decimals, by what is known of an installation.

use std::collections::BTreeMap;

use mirra_host_sdk::Usd;
use serde::{Deserialize, Serialize};

use super::definition::Definition;
use crate::{ApiError, params};

/// What is paid by the month is paid for 30 days from the moment that it was installed. The store counts them, too (`resource_call_made`).
pub const PERIOD_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// Of a call or of a month.
pub const PRICE_MAX: Usd = Usd::from_picodollars(10_000_000_000_000_000);

/// Prices are in US dollars; USDC is worth as much.
const CURRENCIES: [&str; 2] = ["USDC", "USD"];

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Model {
    #[default]
    Free,
    /// As older clients call it, with a `price`.
    #[serde(alias = "paid")]
    PayPerCall,
    Subscription,
    Tiered,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pricing {
    #[serde(default, deserialize_with = "params::some")]
    pub model: Model,
    /// For each call, or for each month.
    #[serde(alias = "price", skip_serializing_if = "Option::is_none")]
    pub base_price: Option<Usd>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "params::some")]
    pub subscription_tiers: Vec<Tier>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tier {
    pub name: String,
    /// For each month.
    pub price: Usd,
    pub included_calls: u64,
    /// For each call beyond those.
    #[serde(default, deserialize_with = "params::some")]
    pub overage_price: Usd,
}

impl Pricing {
    pub fn check(&self) -> Result<(), ApiError> {
        if let Some(currency) = self.currency.as_ref().filter(|currency| !CURRENCIES.contains(&&***currency)) {
            let message = format!("prices are in {}, not in {currency}", CURRENCIES.join(" or "));
            return Err(ApiError::invalid("pricing.currency", message));
        }
        let prices = self.base_price.iter().chain(self.subscription_tiers.iter().flat_map(|tier| [&tier.price, &tier.overage_price]));
        if prices.clone().any(|price| *price > PRICE_MAX) {
            return Err(ApiError::invalid("pricing", format!("a price is at most {PRICE_MAX} USD")));
        }
        let needs_price = matches!(self.model, Model::PayPerCall | Model::Subscription);
        if needs_price && self.base_price.is_none() {
            return Err(ApiError::invalid("pricing.basePrice", "pricing.basePrice is required by this pricing model"));
        }
        let tiers = &self.subscription_tiers;
        if self.model == Model::Tiered && tiers.is_empty() {
            return Err(ApiError::invalid("pricing.subscriptionTiers", "tiered pricing needs at least one tier"));
        }
        let twice = |(index, tier): (usize, &Tier)| tiers[..index].iter().any(|other| other.name == tier.name);
        match tiers.iter().enumerate().position(twice) {
            Some(index) => Err(ApiError::invalid(&format!("pricing.subscriptionTiers[{index}].name"), "two tiers have the same name")),
            None => Ok(()),
        }
    }

    /// The tier of that name, or the first one where none is named.
    pub fn tier(&self, name: Option<&str>) -> Option<&Tier> {
        match name {
            None => self.subscription_tiers.first(),
            Some(name) => self.subscription_tiers.iter().find(|tier| tier.name == name),
        }
    }

    /// What a month costs, whether anything is called or not.
    pub fn monthly(&self, tier: Option<&str>) -> Usd {
        match self.model {
            Model::Free | Model::PayPerCall => Usd::ZERO,
            Model::Subscription => self.base_price.unwrap_or_default(),
            Model::Tiered => self.tier(tier).map_or(Usd::ZERO, |tier| tier.price),
        }
    }

    /// What a call costs that is the `number`-th of its month, counted from 1.
    pub fn call(&self, tier: Option<&str>, method_cost: Option<Usd>, number: u64) -> Usd {
        match self.model {
            Model::Free | Model::Subscription => Usd::ZERO,
            Model::PayPerCall => method_cost.or(self.base_price).unwrap_or_default(),
            Model::Tiered => match self.tier(tier) {
                Some(tier) if number > tier.included_calls => tier.overage_price,
                _ => Usd::ZERO,
            },
        }
    }
}

/// When the month began that `now` is in. A clock that was put back changes nothing.
pub fn period(started_at: i64, now: i64) -> i64 {
    let passed = now.saturating_sub(started_at).max(0) / PERIOD_MS;
    started_at + passed * PERIOD_MS
}

/// What was agreed when a resource was installed. Its creator may ask for more later, of whoever installs it then.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreed {
    pub pricing: Pricing,
    /// Of methods that have a price of their own.
    pub method_costs: BTreeMap<String, Usd>,
}

impl Agreed {
    pub fn of(definition: &Definition) -> Agreed {
        let costs = definition.terms.endpoint.methods.iter().filter_map(|method| Some((method.name.clone(), method.cost?)));
        Agreed { pricing: definition.terms.pricing.clone(), method_costs: costs.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(text: &str) -> Usd {
        text.parse().unwrap()
    }

    fn pricing(json: &str) -> Pricing {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn money_is_exact() {
        let per_call = pricing(r#"{"model": "pay-per-call", "basePrice": 0.001, "currency": "USDC"}"#);
        let spent: Usd = (1..=547).map(|number| per_call.call(None, None, number)).sum();
        assert_eq!(spent, usd("0.547"));
        assert_eq!(per_call.call(None, Some(usd("0.1")), 1) + per_call.call(None, Some(usd("0.2")), 2), usd("0.3"));
        assert_eq!(per_call.monthly(None), Usd::ZERO);
    }

    #[test]
    fn a_tier_includes_calls_and_asks_for_those_beyond() {
        let tiered = pricing(
            r#"{"model": "tiered", "subscriptionTiers": [
                {"name": "Basic", "price": 10.0, "includedCalls": 1000, "overagePrice": 0.01},
                {"name": "Pro", "price": 50.0, "includedCalls": 10000, "overagePrice": 0.005}]}"#,
        );
        assert_eq!((tiered.monthly(None), tiered.monthly(Some("Pro"))), (usd("10"), usd("50")));
        assert_eq!((tiered.call(None, None, 1000), tiered.call(None, None, 1001)), (Usd::ZERO, usd("0.01")));
        assert_eq!((tiered.call(Some("Pro"), None, 10_000), tiered.call(Some("Pro"), None, 10_001)), (Usd::ZERO, usd("0.005")));
        let subscription = pricing(r#"{"model": "subscription", "basePrice": 10}"#);
        assert_eq!((subscription.monthly(None), subscription.call(None, Some(usd("1")), 9)), (usd("10"), Usd::ZERO));
    }

    #[test]
    fn months_follow_from_the_first() {
        assert_eq!(period(1_000, 1_000), 1_000);
        assert_eq!(period(1_000, 1_000 + PERIOD_MS - 1), 1_000);
        assert_eq!(period(1_000, 1_000 + 3 * PERIOD_MS), 1_000 + 3 * PERIOD_MS);
        assert_eq!(period(1_000, 5), 1_000);
        assert_eq!(period(i64::MAX, i64::MIN), i64::MAX);
    }

    #[test]
    fn prices_that_say_nothing_are_refused() {
        for (json, field) in [
            (r#"{"model": "pay-per-call"}"#, "pricing.basePrice"),
            (r#"{"model": "subscription"}"#, "pricing.basePrice"),
            (r#"{"model": "tiered"}"#, "pricing.subscriptionTiers"),
            (r#"{"model": "pay-per-call", "basePrice": 10000.01}"#, "pricing"),
            (r#"{"model": "pay-per-call", "basePrice": 1, "currency": "EUR"}"#, "pricing.currency"),
        ] {
            let refusal = pricing(json).check().unwrap_err();
            assert_eq!(refusal.details.unwrap()["field"], field);
        }
        assert!(serde_json::from_str::<Pricing>(r#"{"model": "pay-per-call", "basePrice": -1}"#).is_err());
    }
}
