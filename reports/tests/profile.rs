//! Profiles as people write them: what is read, and where an error is said to be.

use dht_reports::{Deviation, Profile};

const ONE: &str = r#"name = "original"
description = "the original node"

[[deviation]]
requirement = "NEO-GETALL-14"
check = "getall.*"
outcome = "extra"
sometimes = true
instead = "delivers the last record again"
why = "a race (F12)"

[[deviation]]
requirement = "NEO-PUT-03"
instead = "closes the connection"
why = "F7"
"#;

#[test]
fn reads_what_is_written() {
    let profile = Profile::from_toml(ONE).unwrap();
    assert_eq!(profile.name, "original");
    assert_eq!(profile.description.as_deref(), Some("the original node"));
    assert_eq!(
        profile.deviations,
        [
            Deviation {
                requirement: "NEO-GETALL-14".to_owned(),
                check: Some("getall.*".to_owned()),
                outcome: Some("extra".to_owned()),
                sometimes: true,
                instead: "delivers the last record again".to_owned(),
                why: "a race (F12)".to_owned(),
            },
            Deviation {
                requirement: "NEO-PUT-03".to_owned(),
                check: None,
                outcome: None,
                sometimes: false,
                instead: "closes the connection".to_owned(),
                why: "F7".to_owned(),
            },
        ]
    );
}

#[test]
fn a_profile_without_deviations_is_strict() {
    let profile = Profile::from_toml("name = \"strict\"").unwrap();
    assert_eq!(profile, Profile::strict());
    assert_eq!(profile, Profile::default());
}

#[test]
fn says_what_is_wrong_and_on_which_line() {
    let cases = [
        (ONE.replace("why = \"F7\"\n", ""), 12, "why"),
        (ONE.replace("why = \"F7\"", "why = \" \""), 12, "why"),
        (ONE.replace("why = \"F7\"", "reason = \"F7\""), 15, "reason"),
        (ONE.replace("why = \"F7\"", "why = 7"), 15, "string"),
        (
            ONE.replace("instead = \"closes the connection\"", "instead = \"\""),
            12,
            "instead",
        ),
        (ONE.replace("getall.*", "get*.all"), 4, "*"),
        (ONE.replace("getall.*", "*"), 4, "any check"),
        (ONE.replace("\"extra\"", "\"\""), 4, "outcome"),
        (ONE.replace("= true", "= \"racy\""), 8, "boolean"),
        (ONE.replace("NEO-PUT-03", ""), 12, "id"),
        (ONE.replace("\"original\"", "\"\""), 1, "name"),
        (ONE.replace("description", "descripton"), 2, "descripton"),
        (
            ONE.replace("[[deviation]]", "[[deviations]]"),
            4,
            "deviations",
        ),
        (ONE.replace("name = \"original\"\n", ""), 1, "name"),
        (format!("{ONE}\nname"), 17, ""),
        (
            format!(
                "{ONE}\n[[deviation]]\nrequirement = \"NEO-PUT-03\"\ninstead = \"a\"\nwhy = \"b\"\n"
            ),
            17,
            "twice",
        ),
        ("\u{feff}\u{0}".to_owned(), 1, ""),
    ];
    for (text, line, word) in cases {
        let error = Profile::from_toml(&text).unwrap_err();
        assert!(error.reason.contains(word), "{error}\n{text}");
        assert_eq!(error.line, line, "{error}\n{text}");
        assert!(error.to_string().starts_with(&format!("line {line}: ")));
    }
}
