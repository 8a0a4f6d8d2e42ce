//! Channels: listed while they exist, gone with all their records when they are removed.

use super::Check;
use super::context::{Checked, Context};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "channels.put-remove",
        group: "requests",
        title: "A channel that is removed takes its records with it.",
        rules: &["A4", "A18.2", "P20"],
        subsumes: Some("Neo Put then RemoveChannel"),
        run: |cx| Box::pin(put_remove(cx)),
    },
    Check {
        id: "channels.list",
        group: "requests",
        title: "Every channel with a record is listed.",
        rules: &["A18.10", "P25", "A4"],
        subsumes: Some("Neo Puts followed by neo GetChannels"),
        run: |cx| Box::pin(list(cx)),
    },
    Check {
        id: "channels.list-after-removal",
        group: "requests",
        title: "A channel that was removed is not listed any more.",
        rules: &["A18.10", "P25"],
        subsumes: Some("Neo Puts followed by neo RemoveChannel then neo GetChannels"),
        run: |cx| Box::pin(list_after_removal(cx)),
    },
];

const NAMES: [&str; 4] = ["1", "2", "3", "4"];

async fn put_remove(cx: &Context) -> Checked {
    cx.put(0, "hi").await?;
    cx.expect_value(0, "hi").await?;
    cx.remove_channel("").await?;
    cx.expect_gone_with_channel(0).await
}

async fn list(cx: &Context) -> Checked {
    for name in NAMES {
        cx.put_to(name, 0, "whatever").await?;
    }
    cx.expect_channels(&NAMES).await
}

async fn list_after_removal(cx: &Context) -> Checked {
    list(cx).await?;
    cx.remove_channel("1").await?;
    cx.expect_channels(&NAMES[1..]).await
}
