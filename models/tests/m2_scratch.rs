use dht_models::{check::check, defect::*, frames::*, search::*, world::World};
#[test]
fn scratch() {
    let want = std::env::var("ENTRY").unwrap_or_default();
    let bounds: Bounds = std::env::var("BOUNDS")
        .unwrap_or("small".into())
        .parse()
        .unwrap();
    let defects = std::env::var("NODEFECTS").is_err();
    for entry in all() {
        if !(entry.name.starts_with("control") || entry.name.starts_with("get-all"))
            || !entry.name.contains(&want)
        {
            continue;
        }
        let run = |d: Defects| {
            let world = World::new((entry.frame)(bounds).defects(d)).unwrap();
            let options = Options {
                threads: 2.try_into().unwrap(),
                ..Options::default()
            };
            let start = std::time::Instant::now();
            if std::env::var("ONLY").is_ok() {
                let c = explore(&world, options);
                println!(
                    "{} {} unique {} generated {:?} {:?}",
                    entry.name, c.unique, c.generated, c.elapsed, c.coverage
                );
                std::process::exit(0);
            }
            let c = check(&world, options);
            (c, start.elapsed())
        };
        let (c, t) = run(Defects::default());
        println!(
            "== {} {} states, {} generated, depth {}, {:?}, {:?}",
            entry.name, c.unique, c.generated, c.depth, t, c.coverage
        );
        for f in &c.findings {
            match &f.verdict {
                Verdict::Held => {
                    if f.owing == Some(0) {
                        println!("   {} never owed", f.name)
                    }
                }
                Verdict::Reached(_) => {}
                Verdict::Violated(p) => {
                    println!(
                        "   VIOLATED {} by {:?}",
                        f.name,
                        p.actions().collect::<Vec<_>>()
                    );
                    let world = World::new((entry.frame)(bounds)).unwrap();
                    use stateright::Model;
                    let mut state = world.init_states().remove(0);
                    let number = world.abouts().iter().position(|a| a.id == f.name).unwrap();
                    for a in p.actions() {
                        let (next, notes) = world.explain(&state, *a).unwrap();
                        println!("{a:?}");
                        for n in notes {
                            let t = format!("{n:?}");
                            println!("     {}", &t[..t.len().min(150)]);
                        }
                        state = next;
                        println!("     MEM {}", world.memory(&state, number));
                    }
                }
                v => println!("   {} {v:?}", f.name),
            }
        }
        if defects {
            for (d, p) in entry.shows {
                let (c, t) = run(Defects::only(*d));
                let bad: Vec<_> = c
                    .findings
                    .iter()
                    .filter(|f| matches!(f.verdict, Verdict::Violated(_)))
                    .map(|f| f.name)
                    .collect();
                println!(
                    "   {} {} {} -> {:?} ({} states {:?})",
                    if bad.contains(p) { "ok " } else { "NOT FOUND" },
                    d.name(),
                    p,
                    bad,
                    c.unique,
                    t
                );
            }
        }
    }
}
