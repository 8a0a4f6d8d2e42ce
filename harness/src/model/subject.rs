//! A model that can be explored, whatever it is a model of.

use std::fmt::{Debug, Write as _};
use std::hash::Hash;
use std::net::SocketAddr;
use std::path::Path as FilePath;

use dht_models::chart::Glyphs;
use dht_models::check::{Checked, check};
use dht_models::connection::{self, ConnectionModel};
use dht_models::defect::{Defect, Defects};
use dht_models::drawing::draw_finding;
use dht_models::frames::{self, Bounds, Entry};
use dht_models::legacy::{self, LegacyModel};
use dht_models::property::{About, Kind};
use dht_models::search::{self, Coverage, Finding, Options, Path, Verdict};
use dht_models::tour::showing;
use dht_models::world::{Action, Frame, State, World};
use dht_reports::models::{ModelResult, PropertyResult, PropertyVerdict, Run};
use stateright::Model as _;

use super::case::{as_over_a_network, case, kept};

/// How wide a chart is, in characters.
const WIDTH: usize = 110;
/// So many states are looked at for a run that a real node can be made to take.
const STATES: usize = 200_000;

/// A model.
#[derive(Debug)]
pub(super) enum Subject {
    /// Of requests.
    Requests(Entry),
    /// Of a connection, by its name.
    Connection(String, String),
    /// Of the legacy protocol, by its name.
    Legacy(&'static str, &'static str),
}

/// What is shown besides counterexamples, and how.
#[derive(Debug)]
pub(super) struct Shown<'a> {
    /// Runs that reach goals?
    pub(super) goals: bool,
    /// Where charts are drawn.
    pub(super) svg: Option<&'a FilePath>,
    /// Where runs are kept as cases.
    pub(super) save: Option<&'a FilePath>,
}

impl Subject {
    /// All of them.
    pub(super) fn all(bounds: Bounds) -> Vec<Self> {
        let requests = frames::all().into_iter().map(Self::Requests);
        let connections = connection::models(bounds).into_iter();
        let connections = connections.map(|model| {
            let frame = model.frame();
            Self::Connection(
                format!("connection-{}", frame.name),
                frame.about.to_string(),
            )
        });
        let legacy = legacy::models(bounds).into_iter();
        let legacy = legacy.map(|model| Self::Legacy(model.frame().name, model.frame().about));
        connections.chain(requests).chain(legacy).collect()
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Requests(entry) => entry.name,
            Self::Connection(name, _) => name,
            Self::Legacy(name, _) => name,
        }
    }

    pub(super) fn about(&self) -> &str {
        match self {
            Self::Requests(entry) => entry.about,
            Self::Connection(_, about) => about,
            Self::Legacy(_, about) => about,
        }
    }

    /// Is it said to show this defect?
    pub(super) fn shows(&self, defect: Defect) -> bool {
        match self {
            Self::Requests(entry) => entry.shows.iter().any(|(shown, _)| *shown == defect),
            Self::Connection(..) | Self::Legacy(..) => false,
        }
    }

    /// Explores it.
    pub(super) fn check(
        &self,
        bounds: Bounds,
        defect: Option<Defect>,
        options: Options<'_>,
        shown: &Shown<'_>,
    ) -> ModelResult {
        match self {
            Self::Requests(entry) => match world(entry, bounds, defect) {
                Ok(world) => {
                    let over_a_network = || as_over_a_network(frame(entry, bounds, defect));
                    requests(entry, &world, &over_a_network, options, shown)
                }
                Err(reason) => self.impossible(reason),
            },
            Self::Connection(name, _) => match named(name, bounds) {
                Some(model) => {
                    let properties = connection::PROPERTIES.iter();
                    let known = properties.map(|known| (known.name, known.id, known.sentence));
                    self.plain(&model, known.collect(), options, shown)
                }
                None => self.impossible("there is no such model".to_owned()),
            },
            Self::Legacy(name, _) => match legacy_named(name, bounds) {
                Some(model) => {
                    let properties = legacy::PROPERTIES.iter();
                    let known = properties.map(|known| (known.name, known.id, known.sentence));
                    self.plain(&model, known.collect(), options, shown)
                }
                None => self.impossible("there is no such model".to_owned()),
            },
        }
    }

    /// Serves stateright's Explorer of it, until the program ends.
    pub(super) fn serve(&self, address: SocketAddr, bounds: Bounds, defect: Option<Defect>) {
        match self {
            Self::Requests(entry) => {
                if let Ok(world) = world(entry, bounds, defect) {
                    world.checker().serve(address);
                }
            }
            Self::Connection(name, _) => {
                if let Some(model) = named(name, bounds) {
                    model.checker().serve(address);
                }
            }
            Self::Legacy(name, _) => {
                if let Some(model) = legacy_named(name, bounds) {
                    model.checker().serve(address);
                }
            }
        }
    }

    /// A model whose properties are of a kind of their own: name, id and sentence of each.
    fn plain<M>(
        &self,
        model: &M,
        known: Vec<(&str, &str, &str)>,
        options: Options<'_>,
        shown: &Shown<'_>,
    ) -> ModelResult
    where
        M: stateright::Model + Sync,
        M::State: Clone + Hash + Send + Sync,
        M::Action: Clone + Debug + Send,
    {
        let outcome = search::explore(model, options);
        let checked = Checked {
            generated: outcome.generated,
            unique: outcome.unique,
            depth: outcome.depth(),
            terminal: outcome.terminal,
            coverage: outcome.coverage,
            memory: outcome.memory,
            exploring: outcome.elapsed,
            elapsed: outcome.elapsed,
            findings: outcome.findings,
        };
        let properties = checked.findings.iter().map(|finding| {
            let known = known.iter().find(|known| known.0 == finding.name);
            let path = finding.verdict.path().filter(|_| shows(finding, shown));
            PropertyResult {
                id: known.map_or(finding.name, |known| known.1).to_owned(),
                kind: finding.kind.to_string(),
                sentence: known.map_or(finding.name, |known| known.2).to_owned(),
                verdict: verdict(finding, false),
                run: path.map(|path| Run {
                    steps: steps(path),
                    chart: steps(path).join("\n"),
                    svg: None,
                    case: None,
                }),
            }
        });
        let properties = properties.collect();
        self.result(&checked, properties)
    }

    fn result<S, A>(
        &self,
        checked: &Checked<S, A>,
        properties: Vec<PropertyResult>,
    ) -> ModelResult {
        ModelResult {
            name: self.name().to_owned(),
            about: self.about().to_owned(),
            generated: checked.generated,
            unique: checked.unique,
            depth: checked.depth as u64,
            terminal: checked.terminal,
            exploring: checked.exploring.as_millis() as u64,
            milliseconds: checked.elapsed.as_millis() as u64,
            memory: checked.memory as u64,
            incomplete: match checked.coverage {
                Coverage::Complete => None,
                stopped @ Coverage::Stopped { .. } => Some(stopped.to_string()),
            },
            properties,
        }
    }

    fn impossible(&self, reason: String) -> ModelResult {
        ModelResult {
            name: self.name().to_owned(),
            about: self.about().to_owned(),
            generated: 0,
            unique: 0,
            depth: 0,
            terminal: 0,
            exploring: 0,
            milliseconds: 0,
            memory: 0,
            incomplete: Some(reason),
            properties: Vec::new(),
        }
    }
}

/// The model of an entry, with a defect.
pub(super) fn world(
    entry: &Entry,
    bounds: Bounds,
    defect: Option<Defect>,
) -> Result<World, String> {
    World::new(frame(entry, bounds, defect)).map_err(|error| error.to_string())
}

fn frame(entry: &Entry, bounds: Bounds, defect: Option<Defect>) -> Frame {
    let frame = (entry.frame)(bounds);
    match defect {
        Some(defect) => frame.defects(Defects::only(defect)),
        None => frame,
    }
}

fn requests(
    entry: &Entry,
    world: &World,
    over_a_network: &dyn Fn() -> Frame,
    options: Options<'_>,
    shown: &Shown<'_>,
) -> ModelResult {
    let checked = check(world, options);
    let abouts = world.abouts();
    let result = |finding: &Finding<_, _>| {
        let about = abouts.iter().find(|about| about.id == finding.name);
        let about = about.copied().unwrap_or(About {
            id: finding.name,
            kind: Kind::Always,
            sentence: "",
        });
        let path = finding.verdict.path().filter(|_| shows(finding, shown));
        PropertyResult {
            id: finding.name.to_owned(),
            kind: finding.kind.to_string(),
            sentence: about.sentence.to_owned(),
            verdict: verdict(finding, entry.expected.contains(&finding.name)),
            run: path.map(|path| {
                let chart = draw_finding(world, &about, path);
                Run {
                    steps: path.actions().map(ToString::to_string).collect(),
                    chart: chart.text(WIDTH, Glyphs::Unicode),
                    svg: shown.svg.and_then(|folder| {
                        let name = format!("{}-{}.svg", entry.name, about.id);
                        save(folder, &name, &chart.svg())
                    }),
                    case: shown
                        .save
                        .map(|folder| keep(folder, world, over_a_network(), &about, path)),
                }
            }),
        }
    };
    let mut properties: Vec<PropertyResult> = checked.findings.iter().map(result).collect();
    properties.sort_by(|a, b| a.id.cmp(&b.id));
    Subject::Requests(*entry).result(&checked, properties)
}

fn shows<S, A>(finding: &Finding<S, A>, shown: &Shown<'_>) -> bool {
    match finding.verdict {
        Verdict::Violated(_) => true,
        Verdict::Reached(_) => shown.goals,
        _ => false,
    }
}

fn verdict<S, A>(finding: &Finding<S, A>, expected: bool) -> PropertyVerdict {
    match (&finding.verdict, expected) {
        (Verdict::Held, false) => PropertyVerdict::Held,
        (Verdict::Held, true) => PropertyVerdict::HeldUnexpectedly,
        (Verdict::Violated(_), false) => PropertyVerdict::Violated,
        (Verdict::Violated(_), true) => PropertyVerdict::ViolatedAsExpected,
        (Verdict::Reached(_), _) => PropertyVerdict::Reached,
        (Verdict::NotReached, _) => PropertyVerdict::NotReached,
        (Verdict::Unknown(why), _) => PropertyVerdict::Unknown {
            reason: why.to_string(),
        },
    }
}

fn named(name: &str, bounds: Bounds) -> Option<ConnectionModel> {
    let name = name.strip_prefix("connection-")?;
    let mut models = connection::models(bounds).into_iter();
    models.find(|model| model.frame().name == name)
}

fn legacy_named(name: &str, bounds: Bounds) -> Option<LegacyModel> {
    let mut models = legacy::models(bounds).into_iter();
    models.find(|model| model.frame().name == name)
}

fn steps<S, A: Debug>(path: &Path<S, A>) -> Vec<String> {
    let actions = path.actions().enumerate();
    let line = |(number, action): (usize, &A)| format!("{:>4}  {action:?}", number + 1);
    actions.map(line).collect()
}

/// Keeps a run as a case; where it is, or why it cannot be kept. A run that a real node can be made to take
/// is kept rather than the shortest one, in which the node may be slow.
fn keep(
    folder: &FilePath,
    world: &World,
    over_a_network: Frame,
    about: &About,
    path: &Path<State, Action>,
) -> String {
    let playable = World::new(over_a_network).ok().and_then(|world| {
        let run = showing(&world, about, STATES)?;
        case(&world, run).ok()
    });
    let kept = playable
        .map_or_else(|| case(world, path.actions().copied()), Ok)
        .map(|case| kept(world, about, case))
        .map_err(|error| error.to_string());
    let written = kept.and_then(|kept| kept.write(folder).map_err(|error| error.to_string()));
    match written {
        Ok(path) => path.display().to_string(),
        Err(reason) => format!("nothing: {reason}"),
    }
}

/// Writes a drawing; where it is, if it could be written.
fn save(folder: &FilePath, name: &str, svg: &str) -> Option<String> {
    let path = folder.join(name);
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, svg));
    let mut shown = path.display().to_string();
    if let Err(error) = written {
        let _ = write!(shown, " (which cannot be written: {error})");
    }
    Some(shown)
}
