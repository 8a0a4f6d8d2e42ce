//! Every target on every seed and regression. One test alone: the targets count what the process allocates.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use dht_fuzzing::{TARGETS, dictionary, seeds};

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn seeds_and_regressions_pass() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // What `write_seeds` would write is what is there.
    let made = seeds::seeds().unwrap();
    for seed in &made {
        let path = seeds::folder().join(seed.target).join(&seed.name);
        assert_eq!(
            fs::read(&path).ok().as_ref(),
            Some(&seed.bytes),
            "{}",
            path.display()
        );
    }
    let dictionary = fs::read_to_string(dictionary::path()).unwrap();
    assert_eq!(dictionary, dictionary::dictionary());

    let names: BTreeSet<_> = TARGETS.iter().map(|target| target.name).collect();
    for folder in ["seeds", "regressions"] {
        for target in files(&root.join(folder)) {
            let name = target.file_name().unwrap().to_string_lossy();
            assert!(
                names.contains(&*name),
                "{} is for no target",
                target.display()
            );
        }
    }
    for target in TARGETS {
        let seeds = files(&root.join("seeds").join(target.name));
        assert!(!seeds.is_empty(), "no seeds for {}", target.name);
        let regressions = files(&root.join("regressions").join(target.name));
        (target.run)(&[]);
        for path in seeds.iter().chain(&regressions) {
            println!("{}", path.display());
            let input = fs::read(path).unwrap();
            (target.run)(&input);
            // Cut short it is an input too.
            (target.run)(&input[..input.len() / 2]);
        }
        let program = root
            .join("../fuzz/fuzz_targets")
            .join(format!("{}.rs", target.name));
        assert!(program.exists(), "{} is not there", program.display());
    }
}
