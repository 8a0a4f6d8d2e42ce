//! Single records through the client: what was put can be read, what was removed cannot.

use bytes::Bytes;
use dht_protocol::neo::batch::MAX_VALUE;
use dht_requirements as req;

use super::bulk;
use crate::checks::{Check, Context};
use crate::unkept::{Checked, effect_of};

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::through_client(
            "records.put-get",
            "A record that was put is read back with its value.",
            &[
                &req::PUT_ANSWER,
                &req::DATA_PUT_VISIBLE,
                &req::GET_VALUE_EXACT,
            ],
            |cx| Box::pin(put_get(cx)),
        )
        .subsumes("Neo Put followed by neo Get"),
        Check::through_client(
            "records.put-remove-get",
            "A record that was removed is gone.",
            &[
                &req::REMOVE_GONE,
                &req::REMOVE_PRESENT,
                &req::DATA_GET_EXISTS_AGREE,
            ],
            |cx| Box::pin(put_remove_get(cx)),
        )
        .subsumes("Neo Put followed by neo Remove and neo Get"),
        Check::through_client(
            "records.get-missing",
            "A record that was never put is not there.",
            &[
                &req::GET_ABSENT,
                &req::DATA_GET_EXISTS_AGREE,
                &req::REMOVE_ABSENT,
            ],
            |cx| Box::pin(get_missing(cx)),
        )
        .subsumes("Neo Get for non-existent entry"),
        Check::through_client(
            "records.overwrite",
            "A second Put replaces the value, by a longer and by a shorter one.",
            &[&req::GET_VALUE_EXACT, &req::PUT_ANSWER],
            |cx| Box::pin(overwrite(cx)),
        ),
        Check::through_client(
            "records.too-big",
            "A value of 65,512 bytes can be put; the client refuses one that is longer.",
            &[
                &req::DATA_VALUE_SIZES,
                &req::GET_VALUE_EXACT,
                &req::PUT_ANSWER,
            ],
            |cx| Box::pin(too_big(cx)),
        )
        .subsumes("Neo Put of a too big record value"),
        Check::through_client(
            "records.largest",
            "A record that fills a whole batch is delivered by every request that reads.",
            &[
                &bulk::VERIFIED[..],
                &[&req::DATA_VALUE_SIZES, &req::BATCH_WHOLE_RECORDS],
            ]
            .concat(),
            |cx| Box::pin(largest(cx)),
        )
        .subsumes("Neo Put and fetch of large records"),
    ]
}

async fn put_get(cx: &Context<'_>) -> Checked {
    let records = [(0xA, "foo"), (0xB, "bar"), (0xC, "doo")];
    for (key, value) in records {
        cx.put(key, value).await?;
    }
    for (key, value) in records {
        cx.expect_value(key, value).await?;
    }
    Ok(())
}

async fn put_remove_get(cx: &Context<'_>) -> Checked {
    cx.put(0, "test").await?;
    cx.expect_exists(0, true).await?;
    cx.expect_removed(0, true).await?;
    let gone = cx.expect_no_record(0).await;
    gone.map_err(effect_of(&req::REMOVE_GONE))?;
    cx.expect_exists(0, false).await
}

async fn get_missing(cx: &Context<'_>) -> Checked {
    cx.expect_no_record(0xA).await?;
    cx.expect_exists(0xA, false).await?;
    cx.expect_removed(0xA, false).await
}

async fn overwrite(cx: &Context<'_>) -> Checked {
    for value in ["first", "a longer value than the first", "short", "short"] {
        cx.put(1, value).await?;
        cx.expect_value(1, value).await?;
    }
    Ok(())
}

async fn too_big(cx: &Context<'_>) -> Checked {
    cx.put(0, vec![0xff; MAX_VALUE]).await?;
    cx.expect_too_big(0, vec![0xff; MAX_VALUE + 1]).await?;
    cx.expect_value(0, vec![0xff; MAX_VALUE]).await
}

async fn largest(cx: &Context<'_>) -> Checked {
    let value = Bytes::from(vec![0xff; MAX_VALUE]);
    cx.put(0, value.clone()).await?;
    bulk::verify(cx, &[(cx.key(0), value)].into()).await
}
