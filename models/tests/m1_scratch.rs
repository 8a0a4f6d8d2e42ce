use dht_models::check::check;
use dht_models::defect::Defects;
use dht_models::frames::{Bounds, all};
use dht_models::search::{Options, Verdict};
use dht_models::world::World;
use std::num::NonZeroUsize;
#[test]
fn survey() {
    let names = std::env::var("NAMES").unwrap_or_default();
    let bounds = match std::env::var("BOUNDS").as_deref() {
        Ok("default") => Bounds::Default,
        Ok("deep") => Bounds::Deep,
        _ => Bounds::Small,
    };
    let ill = std::env::var("ILL").is_ok();
    for entry in all()
        .into_iter()
        .filter(|e| names.split(',').any(|n| n == e.name))
    {
        let mut list = vec![(None, "")];
        if ill {
            list.extend(entry.shows.iter().map(|(d, p)| (Some(*d), *p)));
        }
        for (defect, prop) in list {
            let frame =
                (entry.frame)(bounds).defects(defect.map_or(Defects::default(), Defects::only));
            let world = World::new(frame).unwrap();
            let options = Options {
                threads: NonZeroUsize::new(2).unwrap(),
                ..Options::default()
            };
            let c = check(&world, options);
            println!(
                "{} {:?} {}: unique {} depth {} {:?} {}",
                entry.name, defect, prop, c.unique, c.depth, c.elapsed, c.coverage
            );
            for f in &c.findings {
                let word = match &f.verdict {
                    Verdict::Held => "held".to_owned(),
                    Verdict::Reached(_) => "reached".to_owned(),
                    Verdict::Violated(p) => {
                        let run: Vec<_> = p.actions().collect();
                        if defect.is_none() || f.name == prop {
                            format!("VIOLATED {run:?} {:?}", p.repeats_from)
                        } else {
                            "violated".into()
                        }
                    }
                    v => format!("{v:?}"),
                };
                if defect.is_none() && (word == "held" && f.owing != Some(0) || word == "reached") {
                    continue;
                }
                if defect.is_some() && !word.to_lowercase().starts_with("violated") {
                    if f.name == prop {
                        println!("   !!!! {} {word}", f.name);
                    }
                    continue;
                }
                println!("   {} {word} {:?}", f.name, f.owing);
            }
        }
    }
}
