//! The profiles that come with the program, and those of the user.

use std::path::Path;

use dht_reports::{Obstacle, Profile};

/// Name and text of each profile that comes with the program.
const EMBEDDED: [(&str, &str); 3] = [
    ("strict", include_str!("../profiles/strict.toml")),
    (
        "fakedht-original",
        include_str!("../profiles/fakedht-original.toml"),
    ),
    (
        "dhtnode-original",
        include_str!("../profiles/dhtnode-original.toml"),
    ),
];

/// The profile with this name, or in this file.
pub fn load(name: &str) -> Result<Profile, Obstacle> {
    let embedded = EMBEDDED.iter().find(|(known, _)| *known == name);
    let text = match embedded {
        Some((_, text)) => (*text).to_owned(),
        None => std::fs::read_to_string(Path::new(name)).map_err(|error| Obstacle {
            reason: format!("there is no profile \"{name}\": {error}."),
            clues: Vec::new(),
            advice: Some(format!(
                "--profile takes a file, or one of {}.",
                EMBEDDED.map(|(known, _)| known).join(", ")
            )),
        })?,
    };
    Profile::from_toml(&text).map_err(|error| Obstacle {
        reason: format!("the profile \"{name}\" cannot be used: {error}."),
        clues: Vec::new(),
        advice: Some("docs/profiles.md says how a profile is written.".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks;

    #[test]
    fn the_profiles_of_the_program_name_what_exists() {
        for (name, _) in EMBEDDED {
            let profile = load(name).unwrap();
            assert_eq!(profile.name, name);
            for deviation in &profile.deviations {
                // Random cases may meet any requirement.
                if let Some("random.*" | "corpus.*") = deviation.check.as_deref() {
                    let known = dht_requirements::find(&deviation.requirement);
                    assert!(known.is_some(), "{name}: {}", deviation.requirement);
                    continue;
                }
                let concerned = checks::all()
                    .iter()
                    .any(|check| deviation.expects(&check.describe()));
                assert!(concerned, "{name}: {}", deviation.requirement);
            }
        }
    }

    #[test]
    fn a_profile_that_does_not_exist_is_an_obstacle() {
        assert!(load("no-such-profile").is_err());
    }
}
