//! Writes the seeds and the dictionary anew: `cargo run -p dht-fuzzing --example write_seeds`.

use std::fs;
use std::io;

use dht_fuzzing::{dictionary, seeds};

fn main() -> io::Result<()> {
    for seed in seeds::seeds()? {
        let folder = seeds::folder().join(seed.target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(&seed.name), &seed.bytes)?;
    }
    fs::write(dictionary::path(), dictionary::dictionary())
}
