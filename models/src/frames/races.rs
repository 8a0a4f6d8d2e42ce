//! Models of several requests for one record at once.

use dht_protocol::HashRange;
use dht_protocol::neo::client::{Request, Told};

use super::parts::{budget, every_request, full, goal, record, store};
use super::{Bounds, Entry};
use crate::defect::Defect;
use crate::property::every_request::{ALL_END, EndsOnce, Reception};
use crate::property::linearizable::Linearizable;
use crate::property::watch;
use crate::world::{Budget, Frame, Note, Store};

/// The models.
pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "race-put-get-remove",
        about: "Put, Get and Remove of one record by three clients; a connection breaks.",
        frame: race_put_get_remove,
        shows: &[(Defect::M11, "linearizable"), (Defect::M14, "linearizable")],
        expected: &[],
        states: 2_163,
    },
    Entry {
        name: "race-puts",
        about: "Two Puts, and two Gets one after the other, of one record by three clients; a connection breaks.",
        frame: race_puts,
        shows: &[(Defect::M11, "linearizable")],
        expected: &[],
        states: 6_846,
    },
    Entry {
        name: "race-exists",
        about: "Put, Exists and Remove of one record by three clients; a connection breaks.",
        frame: race_exists,
        shows: &[(Defect::M13, "linearizable")],
        expected: &[],
        states: 1_182,
    },
    Entry {
        name: "race-nodes",
        about: "Remove over two nodes, while another client gets, puts and gets: a Remove is not one moment.",
        frame: race_nodes,
        shows: &[],
        expected: &["linearizable"],
        states: 995,
    },
    Entry {
        name: "one-client",
        about: "Put, Get and Remove of one record over one connection, at once; it breaks.",
        frame: one_client,
        shows: &[(Defect::M11, "linearizable"), (Defect::M09, "P11")],
        expected: &[],
        states: 985,
    },
    Entry {
        name: "one-after-the-other",
        about: "Put and then Get by one client, while another one removes.",
        frame: one_after_the_other,
        shows: &[(Defect::M11, "linearizable")],
        expected: &[],
        states: 4482,
    },
];

fn race_put_get_remove(bounds: Bounds) -> Frame {
    race(
        "race-put-get-remove",
        bounds,
        [
            store("a"),
            Request::Get(record()),
            Request::Remove(record()),
        ],
    )
}

fn race_puts(bounds: Bounds) -> Frame {
    let get = || Request::Get(record());
    race("race-puts", bounds, [store("a"), store("b"), get()])
        .asks(get())
        .after(2)
}

fn race_exists(bounds: Bounds) -> Frame {
    race(
        "race-exists",
        bounds,
        [
            store("a"),
            Request::Exists(record()),
            Request::Remove(record()),
        ],
    )
}

/// The Remove takes the copy of the older node before, and that of the newest after the Put; there is no
/// moment at which it would have removed both (`neo-requests.md` section 10).
fn race_nodes(bounds: Bounds) -> Frame {
    let frame = Frame::new("race-nodes")
        .node(full("v"))
        .node(Store::new(HashRange::FULL))
        .client(&[0, 1])
        .asks(Request::Remove(record()))
        .client(&[0, 1])
        .asks(Request::Get(record()))
        .asks(store("a"))
        .after(1)
        .asks(Request::Get(record()))
        .after(2);
    let breaks = u8::from(bounds == Bounds::Deep);
    frame
        .budget(Budget {
            breaks,
            ..Budget::default()
        })
        .property(watch(Linearizable(record())))
        .property(watch(EndsOnce))
        .property(watch(Reception))
        .property(watch(ALL_END))
}

fn one_client(bounds: Bounds) -> Frame {
    let asks = [
        store("a"),
        Request::Get(record()),
        Request::Remove(record()),
        Request::Exists(record()),
    ];
    let more = match bounds {
        Bounds::Small => 2,
        Bounds::Default => 3,
        Bounds::Deep => 4,
    };
    let frame = Frame::new("one-client").node(full("v")).client(&[0]);
    let asks = asks.into_iter().take(more);
    let frame = asks
        .fold(frame, Frame::asks)
        .budget(budget(bounds, 1, 0))
        .property(watch(Linearizable(record())));
    every_request(frame)
}

fn one_after_the_other(bounds: Bounds) -> Frame {
    let frame = Frame::new("one-after-the-other")
        .node(Store::new(HashRange::FULL))
        .client(&[0])
        .asks(store("a"))
        .asks(Request::Get(record()))
        .after(0)
        .client(&[0])
        .asks(Request::Remove(record()))
        .budget(budget(bounds, 1, 0))
        .property(watch(Linearizable(record())))
        .property(goal(
            "found",
            "The Get finds what was put, though the Remove is under way.",
            |note| matches!(note, Note::Told(1, Told::Get(Ok(Some(_))))),
        ));
    every_request(frame)
}

/// Three clients at one record of one node.
fn race(name: &str, bounds: Bounds, asks: [Request; 3]) -> Frame {
    let frame = Frame::new(name).node(full("v"));
    let frame = asks
        .into_iter()
        .fold(frame, |frame, asks| frame.client(&[0]).asks(asks));
    let breaks = match bounds {
        Bounds::Small => 0,
        Bounds::Default => 1,
        Bounds::Deep => 2,
    };
    let frame = frame.budget(Budget {
        breaks,
        ..Budget::default()
    });
    frame
        .property(watch(Linearizable(record())))
        .property(watch(EndsOnce))
        .property(watch(Reception))
}
