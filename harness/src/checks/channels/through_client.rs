//! Channels through the client: listed while they exist, gone with all their records when they are removed.

use dht_requirements as req;

use crate::checks::{Check, Context};
use crate::unkept::Checked;

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::through_client(
            "channels.put-remove",
            "A channel that is removed takes its records with it.",
            &[&req::RMCHANNEL_STARTS_EMPTY, &req::GET_VALUE_EXACT],
            |cx| Box::pin(put_remove(cx)),
        )
        .subsumes("Neo Put then RemoveChannel"),
        Check::through_client(
            "channels.list",
            "Every channel with a record is listed.",
            &[
                &req::CHANNELS_COMPLETE,
                &req::CHANNELS_REAL,
                &req::CHANNELS_UNIQUE,
            ],
            |cx| Box::pin(list(cx)),
        )
        .subsumes("Neo Puts followed by neo GetChannels"),
        Check::through_client(
            "channels.list-after-removal",
            "A channel that was removed is not listed any more.",
            &[
                &req::CHANNELS_COMPLETE,
                &req::CHANNELS_REAL,
                &req::CHANNELS_UNIQUE,
            ],
            |cx| Box::pin(list_after_removal(cx)),
        )
        .subsumes("Neo Puts followed by neo RemoveChannel then neo GetChannels"),
    ]
}

const NAMES: [&str; 4] = ["1", "2", "3", "4"];

async fn put_remove(cx: &Context<'_>) -> Checked {
    cx.put(0, "hi").await?;
    cx.expect_value(0, "hi").await?;
    cx.remove_channel("").await?;
    cx.expect_gone_with_channel(0).await
}

async fn list(cx: &Context<'_>) -> Checked {
    for name in NAMES {
        cx.put_to(name, 0, "whatever").await?;
    }
    cx.expect_channels(&NAMES).await
}

async fn list_after_removal(cx: &Context<'_>) -> Checked {
    list(cx).await?;
    cx.remove_channel("1").await?;
    cx.expect_channels(&NAMES[1..]).await
}
