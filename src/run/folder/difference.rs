//! The first entry in which two plans differ, named by the setting that the user gave, where there is
//! one.

use crate::remedy::Setting;
use serde_json::{Map, Value};

/// Where the files of a job lie, in a plan.
const PLACES: [[&str; 2]; 4] = [
    ["model", "file"],
    ["data", "place"],
    ["data", "root"],
    ["choice", "file"],
];

/// Entries of plans that are not called as their settings are.
const SETTINGS: &[(&str, Setting)] = &[
    ("choice.groups.count", Setting::Groups),
    ("choice.listed", Setting::Triples),
    ("choice.dbviz", Setting::Triples),
    ("model.file", Setting::Model),
    ("data.place", Setting::Data),
    ("data.root", Setting::DataDir),
    ("class_match", Setting::Match),
    ("data.header", Setting::NoHeader),
    ("data.unreadable", Setting::SkipUnreadable),
    ("flat.shape", Setting::Kind),
    ("flat", Setting::Kind),
    ("max_pieces", Setting::MaxRegions),
    ("flat.max_regions", Setting::MaxRegions),
    ("resample_seed", Setting::Seed),
    ("surface", Setting::Surface),
];

/// Entries that no single setting decides.
const WORDS: &[(&str, &str)] = &[
    ("program", "the version of the program"),
    ("job", "the command"),
    ("keep", "what is kept of each landscape"),
    ("model_sha256", "the SHA-256 of the model's file"),
    ("data_sha256", "the SHA-256 of the data"),
    ("points_sha256", "the SHA-256 of the feature points"),
    ("pairs_sha256", "the SHA-256 of the pairs"),
    ("sha256", "the SHA-256 of the inputs"),
    ("triples", "the list of triples"),
    ("own", "the list of items that are in no data set"),
    ("items", "the list of items"),
    ("others", "the list of models"),
    ("lines", "the number of lines"),
    ("shards", "the number of shards"),
];

/// A plan without the places of files, which decide nothing: the hashes of what is there do.
fn without_places(plan: &Value) -> Value {
    let mut plan = plan.clone();
    if let Some(plan) = plan.as_object_mut() {
        plan.remove("points");
    }
    for [source, place] in PLACES {
        if let Some(source) = plan.get_mut(source).and_then(Value::as_object_mut) {
            source.remove(place);
        }
    }
    plan
}

/// The first entry in which two plans differ, in words.
pub(crate) fn difference(found: &Value, wanted: &Value) -> Option<String> {
    let (found, wanted) = (without_places(found), without_places(wanted));
    let (Some(found), Some(wanted)) = (found.as_object(), wanted.as_object()) else {
        return Some("its manifest has no plan".into());
    };
    // Plans once were written by hand, an option at a time; now they are the job itself.
    if found.contains_key("job") && !found.contains_key("data") && wanted.contains_key("data") {
        return Some("an earlier version of the program began it, whose plan says less".into());
    }
    first_difference("", found, wanted)
}

/// The first entry in which two objects differ; of one that is an object in both, its own first.
fn first_difference(
    place: &str,
    found: &Map<String, Value>,
    wanted: &Map<String, Value>,
) -> Option<String> {
    let keys = wanted
        .keys()
        .chain(found.keys().filter(|key| !wanted.contains_key(*key)));
    for key in keys {
        let (there, now) = (found.get(key), wanted.get(key));
        if there == now {
            continue;
        }
        let name = format!("{place}{key}");
        return match (there, now) {
            (Some(Value::Object(there)), Some(Value::Object(now))) => {
                first_difference(&format!("{name}."), there, now)
            }
            _ => Some(format!(
                "{} is {} there and {} now",
                entry_name(&name),
                value_text(&name, there),
                value_text(&name, now)
            )),
        };
    }
    None
}

/// The setting that decides an entry, in backquotes, or else the entry in words.
fn entry_name(place: &str) -> String {
    // The plan of an atlas holds that of a job.
    let place = place.strip_prefix("job.").unwrap_or(place);
    let is_it = |&&(known, _): &&(&str, Setting)| known == place;
    let last = place.rsplit('.').next().unwrap_or(place);
    if let Some((_, words)) = WORDS.iter().find(|(known, _)| *known == place) {
        return (*words).to_owned();
    }
    let setting = match SETTINGS.iter().find(is_it) {
        Some((_, setting)) => Some(setting),
        None => Setting::ALL.iter().find(|setting| setting.name() == last),
    };
    setting.map_or_else(
        || place.to_owned(),
        |setting| format!("`{}`", setting.name()),
    )
}

/// The value of an entry; of one that an option without a value decides, whether it was given.
fn value_text(place: &str, value: Option<&Value>) -> String {
    match (place, value.and_then(Value::as_str)) {
        ("data.header", Some("missing")) | ("data.unreadable", Some("skip")) => {
            return "set".to_owned();
        }
        ("data.header", Some(_)) | ("data.unreadable", Some(_)) => return "not set".to_owned(),
        _ => {}
    }
    let text = match value {
        None | Some(Value::Null) => return "the default".to_owned(),
        Some(Value::Bool(true)) => return "set".to_owned(),
        Some(Value::Bool(false)) => return "not set".to_owned(),
        Some(Value::Object(_)) => return "given".to_owned(),
        Some(value) => value.to_string(),
    };
    match text.chars().count() > 60 {
        true => format!("{}...", text.chars().take(60).collect::<String>()),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Two plans with an entry at a place, or without one.
    fn said(place: &str, [there, now]: [Option<Value>; 2]) -> String {
        let plan = |value: Option<Value>| {
            let mut plan = value;
            for key in place.rsplit('.') {
                let entry = plan.map(|value| (key.to_owned(), value));
                plan = Some(Value::Object(entry.into_iter().collect()));
            }
            plan.unwrap_or_default()
        };
        difference(&plan(there), &plan(now)).expect("they differ")
    }

    #[test]
    fn settings_are_named_as_a_user_gives_them() {
        let plain = |there: Value, now: Value| [Some(there), Some(now)];
        for (place, values, expected) in [
            (
                "choice.groups.count",
                plain(Value::Null, json!(2)),
                "`groups` is the default there and 2 now",
            ),
            (
                "choice.groups.seed",
                plain(json!(1), json!(2)),
                "`seed` is 1 there and 2 now",
            ),
            (
                "model.config",
                plain(json!("a.json"), Value::Null),
                "`config` is \"a.json\" there and the default now",
            ),
            (
                "flat.clipped",
                plain(json!(false), json!(true)),
                "`clipped` is not set there and set now",
            ),
            (
                "data.header",
                plain(json!("names"), json!("missing")),
                "`no_header` is not set there and set now",
            ),
            (
                "keep",
                plain(json!("tensors"), json!("rows")),
                "what is kept of each landscape is \"tensors\" there and \"rows\" now",
            ),
            (
                "design.keep",
                plain(json!([0.1]), json!([0.2])),
                "`keep` is [0.1] there and [0.2] now",
            ),
            (
                "job.morph.steps",
                plain(json!(5), json!(6)),
                "`steps` is 5 there and 6 now",
            ),
            (
                "flat",
                [None, Some(json!({"shape": "plane"}))],
                "`kind` is the default there and given now",
            ),
            (
                "unheard.of",
                plain(json!(1), json!(2)),
                "unheard.of is 1 there and 2 now",
            ),
        ] {
            assert_eq!(said(place, values), expected);
        }
    }
}
