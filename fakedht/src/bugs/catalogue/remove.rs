//! Bugs of Remove.

use dht_protocol::neo::request::RequestCode;
use dht_protocol::neo::request::remove::Reply;
use dht_requirements as req;

use crate::bugs::Bug;
use crate::bugs::fate::answered;
use crate::bugs::host_bug::on_remove;
use crate::bugs::seam::Seam;

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "remove-says-no-record",
        description: "A Remove that removed a record answers that there was none.",
        breaks: &req::REMOVE_PRESENT,
        seam: || answered(Reply::Removed, Reply::NoRecord),
    },
    Bug {
        name: "remove-says-removed",
        description: "A Remove of a record that does not exist answers that it was removed.",
        breaks: &req::REMOVE_ABSENT,
        seam: || answered(Reply::NoRecord, Reply::Removed),
    },
    Bug {
        name: "remove-keeps-record",
        description: "A Remove is acknowledged and the record stays.",
        breaks: &req::REMOVE_GONE,
        seam: || keeps_record(RequestCode::Remove),
    },
    Bug {
        name: "remove-takes-next",
        description: "A Remove takes the record behind it in the node's order, too.",
        breaks: &req::REMOVE_OTHERS_STAY,
        seam: || {
            on_remove(|host, at| {
                let removed = at.remove(host)?;
                let next = host.record_after(at.channel, Some(at.key));
                if let (true, Some((next, _))) = (at.by(RequestCode::Remove), next) {
                    at.with_key(next).remove(host)?;
                }
                Ok(removed)
            })
        },
    },
];

/// Removals by this request are not carried out.
pub(super) fn keeps_record(request: RequestCode) -> Seam {
    on_remove(move |host, at| match at.by(request) {
        true => Ok(at.get(host)?.is_some()),
        false => at.remove(host),
    })
}
