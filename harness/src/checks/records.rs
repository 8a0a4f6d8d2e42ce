//! Single records: what was put can be read, what was removed cannot.

use bytes::Bytes;
use dht_protocol::neo::batch::MAX_VALUE;

use super::context::{Checked, Context};
use super::{Check, bulk};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "records.put-get",
        group: "requests",
        title: "A record that was put is read back with its value.",
        rules: &["P14", "A18.1", "A18.2"],
        subsumes: Some("Neo Put followed by neo Get"),
        run: |cx| Box::pin(put_get(cx)),
    },
    Check {
        id: "records.put-remove-get",
        group: "requests",
        title: "A record that was removed is gone.",
        rules: &["P20", "A18.1", "A18.2", "A18.3", "P19"],
        subsumes: Some("Neo Put followed by neo Remove and neo Get"),
        run: |cx| Box::pin(put_remove_get(cx)),
    },
    Check {
        id: "records.get-missing",
        group: "requests",
        title: "A record that was never put is not there.",
        rules: &["A18.2", "A18.3", "P19", "P20"],
        subsumes: Some("Neo Get for non-existent entry"),
        run: |cx| Box::pin(get_missing(cx)),
    },
    Check {
        id: "records.overwrite",
        group: "requests",
        title: "A second Put replaces the value, by a longer and by a shorter one.",
        rules: &["A18.2", "P14"],
        subsumes: None,
        run: |cx| Box::pin(overwrite(cx)),
    },
    Check {
        id: "records.too-big",
        group: "requests",
        title: "A value of 65,512 bytes can be put; the client refuses one that is longer.",
        rules: &["A5", "A18.2", "P14"],
        subsumes: Some("Neo Put of a too big record value"),
        run: |cx| Box::pin(too_big(cx)),
    },
    Check {
        id: "records.largest",
        group: "requests",
        title: "A record that fills a whole batch is delivered by every request that reads.",
        rules: &["A5", "A18.4", "P19", "P45", "P47", "P48"],
        subsumes: Some("Neo Put and fetch of large records"),
        run: |cx| Box::pin(largest(cx)),
    },
];

async fn put_get(cx: &Context) -> Checked {
    let records = [(0xA, "foo"), (0xB, "bar"), (0xC, "doo")];
    for (key, value) in records {
        cx.put(key, value).await?;
    }
    for (key, value) in records {
        cx.expect_value(key, value).await?;
    }
    Ok(())
}

async fn put_remove_get(cx: &Context) -> Checked {
    cx.put(0, "test").await?;
    cx.expect_exists(0, true).await?;
    cx.expect_removed(0, true).await?;
    cx.expect_no_record(0).await?;
    cx.expect_exists(0, false).await
}

async fn get_missing(cx: &Context) -> Checked {
    cx.expect_no_record(0xA).await?;
    cx.expect_exists(0xA, false).await?;
    cx.expect_removed(0xA, false).await
}

async fn overwrite(cx: &Context) -> Checked {
    for value in ["first", "a longer value than the first", "short", "short"] {
        cx.put(1, value).await?;
        cx.expect_value(1, value).await?;
    }
    Ok(())
}

async fn too_big(cx: &Context) -> Checked {
    cx.put(0, vec![0xff; MAX_VALUE]).await?;
    cx.expect_too_big(0, vec![0xff; MAX_VALUE + 1]).await?;
    cx.expect_value(0, vec![0xff; MAX_VALUE]).await
}

async fn largest(cx: &Context) -> Checked {
    let value = Bytes::from(vec![0xff; MAX_VALUE]);
    cx.put(0, value.clone()).await?;
    bulk::verify(cx, &[(cx.key(0), value)].into()).await
}
