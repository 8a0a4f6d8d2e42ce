//! Orders as such: in pieces, cut off, one after the other, unknown, too long.

use dht_protocol::legacy::{
    Answer, ClientRequest, Command, Event, KeyText, MAX_ARRAY, Order, Status,
};
use dht_requirements::{self as req, Requirement};

use super::check;
use super::scene::{Scene, expect};
use crate::checks::{Check, Ground, Tag};
use crate::unkept::{Checked, Outcome, Unkept, blamed_on, broken};
use crate::wire::legacy::link::{encoded, named, told};
use crate::wire::legacy::{LegacyLink, talk, wrong};

/// Numbers that are no command: None, gaps, and such as are far off.
const UNKNOWN: [(i32, &str); 6] = [
    (0, "0"),
    (2, "2"),
    (26, "26"),
    (99, "99"),
    (-1, "minus-1"),
    (0x0100_0000, "16777216"),
];

/// Where a Put is cut off, in bytes from its end if negative.
const CUTS: [(&str, isize); 4] = [
    ("command", 2),
    ("channel", 14),
    ("key", -20),
    ("last-byte", -1),
];

pub(super) fn checks() -> Vec<Check> {
    let mut checks = vec![
        check(
            "connection.speaks-first",
            "The node says nothing before it is asked.",
            &[&req::LEG_CONN_CLIENT_SPEAKS_FIRST],
            |ground| Box::pin(speaks_first(ground)),
        ),
        check(
            "connection.half-order",
            "The node says nothing before an order is complete, and answers it then.",
            &[&req::LEG_CONN_CLIENT_SPEAKS_FIRST, &req::LEG_CONN_PIECES],
            |ground| Box::pin(half_order(ground)),
        ),
        check(
            "connection.pipelined",
            "Orders in one piece are answered one after the other.",
            &[&req::LEG_CONN_PIPELINING],
            |ground| Box::pin(pipelined(ground)),
        ),
        check(
            "connection.half-close",
            "A Put in front of the end of the stream is carried out and answered, and the connection closed.",
            &[
                &req::LEG_CONN_HALF_CLOSE_ANSWERED,
                &req::LEG_CONN_HALF_CLOSE_CLOSED,
            ],
            |ground| Box::pin(half_close(ground)),
        ),
        check(
            "connection.half-close-idle",
            "When a client that asked nothing closes its sending side, the node closes the connection.",
            &[&req::LEG_CONN_HALF_CLOSE_CLOSED],
            |ground| Box::pin(half_close_idle(ground)),
        ),
        check(
            "connection.unknown-behind",
            "A Put behind a command that does not exist is not carried out.",
            &[&req::LEG_CONN_UNKNOWN_BEHIND],
            |ground| Box::pin(unknown_behind(ground)),
        ),
        check(
            "connection.unknown-before",
            "A Put in front of a command that does not exist is carried out.",
            &[&req::LEG_CONN_UNKNOWN_BEFORE],
            |ground| Box::pin(unknown_before(ground)),
        ),
        check(
            "connection.longest-array",
            "A channel name of 10485760 bytes is taken.",
            &[&req::LEG_CONN_ARRAY_LONGEST],
            |ground| Box::pin(longest_array(ground)),
        )
        .tagged(Tag::Slow),
        check(
            "connection.several",
            "Each of ten connections is given the answers to its own orders.",
            &[&req::LEG_CONN_SEVERAL],
            |ground| Box::pin(several(ground)),
        ),
        check(
            "connection.idle",
            "A connection on which nothing is said while others are busy works afterwards.",
            &[&req::LEG_CONN_IDLE_STAYS_OPEN],
            |ground| Box::pin(idle(ground)),
        ),
        check(
            "connection.goes-on-ok",
            "After an answer with Ok the connection takes further orders.",
            &[&req::LEG_CONN_GOES_ON],
            |ground| Box::pin(goes_on(ground, Status::Ok)),
        ),
    ];
    let refusals = [
        Status::WrongNode,
        Status::EmptyValue,
        Status::BadChannelName,
        Status::ValueTooBig,
    ];
    checks.extend(refusals.map(|status| {
        check(
            format!("connection.goes-on-{}", status.code()),
            format!("After an answer with {status} the connection takes further orders."),
            &[&req::LEG_CONN_GOES_ON],
            move |ground| Box::pin(goes_on(ground, status)),
        )
    }));
    for command in [
        Command::GetVersion,
        Command::Put,
        Command::Get,
        Command::Exists,
        Command::Remove,
        Command::GetAll,
        Command::GetAllFilter,
        Command::PutBatch,
    ] {
        let id = format!("connection.pieces-{}", command.name().to_lowercase());
        let title = format!("A {command} that comes byte by byte is understood.");
        checks.push(check(id, title, &[&req::LEG_CONN_PIECES], move |ground| {
            Box::pin(pieces(ground, command))
        }));
    }
    checks.extend(CUTS.map(|(name, at)| {
        check(
            format!("connection.cut-off-{name}"),
            format!("A Put that ends with the stream in its {name} is not carried out."),
            &[&req::LEG_CONN_CUT_OFF],
            move |ground| Box::pin(cut_off(ground, at)),
        )
    }));
    checks.extend(UNKNOWN.map(|(code, name)| {
        check(
            format!("connection.unknown-{name}"),
            format!("The command {code}, which does not exist, closes the connection."),
            &[&req::LEG_CONN_UNKNOWN_COMMAND],
            move |ground| Box::pin(unknown(ground, code)),
        )
    }));
    for (command, array) in [
        (Command::GetChannelSize, "channel"),
        (Command::Get, "key"),
        (Command::GetAllFilter, "filter"),
        (Command::PutBatch, "batch"),
    ] {
        let id = format!("connection.long-{array}");
        let title = format!("A {array} of 10485761 bytes closes the connection.");
        let rules = [&req::LEG_CONN_ARRAY_TOO_LONG];
        let check = check(id, title, &rules, move |ground| {
            Box::pin(too_long(ground, command))
        });
        checks.push(check.tagged(Tag::Slow));
    }
    checks
}

async fn speaks_first(ground: &Ground) -> Checked {
    let mut silent = ground.legacy_link().await?;
    let mut other = ground.legacy_link().await?;
    let rule = &req::LEG_CONN_CLIENT_SPEAKS_FIRST;
    other.expect_nothing_more(rule, "a connection").await?;
    silent.expect_nothing_more(rule, "a connection").await
}

async fn half_order(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    scene.store(1, "value").await?;
    let mut other = ground.legacy_link().await?;
    let order = encoded(&scene.get(1));
    let (begun, rest) = order.split_at(30);
    scene.link.send_bytes(begun).await;
    for _ in 0..10 {
        other.ask(&Order::GetVersion).await?;
    }
    if scene.link.has_more() {
        let rule = &req::LEG_CONN_CLIENT_SPEAKS_FIRST;
        let (sent, expected) = ("30 bytes of a Get", ["nothing"]);
        let observed = format!("{} bytes", scene.link.rest().len());
        return Err(broken(rule, Outcome::Extra, sent, &expected, observed));
    }
    scene.link.send_bytes(rest).await;
    let answered = scene.link.answer(Command::Get).await;
    answered.map_err(blamed_on(&req::LEG_CONN_PIECES)).map(drop)
}

async fn pipelined(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let mut orders = Vec::new();
    for number in 0..20 {
        orders.push(scene.put(number, format!("value {number}")));
        orders.push(scene.get(number));
        orders.push(Order::GetVersion);
    }
    let bytes: Vec<u8> = orders.iter().flat_map(encoded).collect();
    scene.link.send_bytes(&bytes).await;
    let rule = &req::LEG_CONN_PIPELINING;
    let sent = "20 times Put, Get and GetVersion in one piece";
    for (place, order) in orders.iter().enumerate() {
        let answer = scene.link.answer(order.command()).await;
        let answer = answer.map_err(blamed_on(rule))?;
        let number = place / 3;
        let kept = match order.command() {
            Command::Get => {
                let value = format!("value {number}").into();
                answer == Answer::Value(value)
            }
            _ => answer.status() == Status::Ok,
        };
        expect(rule, sent, "each answer in its place", kept, || {
            let answer = told(&answer);
            format!("to {}, which is number {place}: {answer}", named(order))
        })?;
    }
    Ok(())
}

async fn half_close(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let order = scene.put(1, "value");
    scene.link.send(&order).await;
    scene.link.socket().half_close();
    let rule = &req::LEG_CONN_HALF_CLOSE_ANSWERED;
    let answer = scene.link.answer(Command::Put).await;
    answer.map_err(blamed_on(rule))?;
    closed(&mut scene.link, "Put, and the end of the stream").await?;
    let mut scene = Scene::open(ground).await?;
    scene.expect_value(rule, 1, "value").await
}

async fn half_close_idle(ground: &Ground) -> Checked {
    let mut link = ground.legacy_link().await?;
    link.socket().half_close();
    closed(&mut link, "the end of the stream").await
}

async fn closed(link: &mut LegacyLink, sent: &str) -> Checked {
    let rule = &req::LEG_CONN_HALF_CLOSE_CLOSED;
    link.expect_closed(rule, sent).await
}

async fn unknown(ground: &Ground, code: i32) -> Checked {
    let mut link = ground.legacy_link().await?;
    link.send_bytes(&wrong::code(code)).await;
    let rule = &req::LEG_CONN_UNKNOWN_COMMAND;
    link.expect_closed(rule, &format!("the command {code}"))
        .await
}

async fn unknown_behind(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let mut bytes = wrong::code(99);
    bytes.extend(encoded(&scene.put(1, "value")));
    scene.link.send_bytes(&bytes).await;
    scene.link.socket().closed().await;
    not_carried_out(ground, &req::LEG_CONN_UNKNOWN_BEHIND).await
}

async fn unknown_before(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let mut bytes = encoded(&scene.put(1, "value"));
    bytes.extend(wrong::code(99));
    scene.link.send_bytes(&bytes).await;
    scene.link.socket().closed().await;
    // The answer may be lost with the connection (legacy 1).
    let mut scene = Scene::open(ground).await?;
    let rule = &req::LEG_CONN_UNKNOWN_BEFORE;
    scene.expect_value(rule, 1, "value").await
}

async fn cut_off(ground: &Ground, at: isize) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let order = encoded(&scene.put(1, "value"));
    let end = usize::try_from(at).unwrap_or(order.len() - at.unsigned_abs());
    scene.link.send_bytes(&order[..end]).await;
    scene.link.socket().half_close();
    let rule = &req::LEG_CONN_CUT_OFF;
    let sent = format!("{end} of {} bytes of a Put, and FIN", order.len());
    scene.link.expect_closed(rule, &sent).await?;
    not_carried_out(ground, rule).await
}

/// The record that was to be put is not there.
async fn not_carried_out(ground: &Ground, rule: &'static Requirement) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let key = scene.key(1);
    // In a channel that may not exist either, of which not every node can tell the value.
    let exists = scene.link.exists(&scene.channel, key).await?;
    expect(rule, "the Put", "no record", !exists, || {
        "the record is there".to_owned()
    })
}

async fn longest_array(ground: &Ground) -> Checked {
    let mut link = ground.legacy_link().await?;
    let name = vec![b'x'; MAX_ARRAY as usize];
    let order = wrong::first_array(Command::GetChannelSize, MAX_ARRAY, &name);
    link.send_bytes(&order).await;
    let rule = &req::LEG_CONN_ARRAY_LONGEST;
    let answer = link.answer(Command::GetChannelSize).await;
    let answer = answer.map_err(blamed_on(rule))?;
    let (sent, expected) = ("GetChannelSize, a name of 10485760 bytes", "Ok (200)");
    expect(rule, sent, expected, answer.status() == Status::Ok, || {
        told(&answer)
    })
}

/// An order whose last array is one byte too long.
fn overlong(command: Command, ground: &Ground) -> Vec<u8> {
    let length = MAX_ARRAY + 1;
    let mut order = match command {
        Command::GetChannelSize => wrong::first_array(command, length, b""),
        _ => wrong::second_array(command, &ground.channel(""), length),
    };
    order.extend(vec![b'0'; length as usize]);
    order
}

async fn too_long(ground: &Ground, command: Command) -> Checked {
    let mut link = ground.legacy_link().await?;
    link.send_bytes(&overlong(command, ground)).await;
    let rule = &req::LEG_CONN_ARRAY_TOO_LONG;
    link.expect_closed(rule, &format!("{command} with an array of 10485761 bytes"))
        .await
}

async fn several(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    for number in 0..10 {
        scene.store(number, format!("value {number}")).await?;
    }
    let mut links = Vec::new();
    for number in 0..10 {
        let mut link = ground.legacy_link().await?;
        link.send(&scene.get(number)).await;
        links.push(link);
    }
    for (number, mut link) in (0..10).zip(links).rev() {
        let rule = &req::LEG_CONN_SEVERAL;
        let answer = link.answer(Command::Get).await.map_err(blamed_on(rule))?;
        let value = format!("value {number}").into();
        let expected = Answer::Value(value);
        let sent = "a Get on each of ten connections";
        expect(
            rule,
            sent,
            "the value of its key",
            answer == expected,
            || told(&answer),
        )?;
    }
    Ok(())
}

async fn idle(ground: &Ground) -> Checked {
    let mut idle = ground.legacy_link().await?;
    let mut scene = Scene::open(ground).await?;
    for number in 0..200 {
        scene.store(number % 10, format!("value {number}")).await?;
    }
    let rule = &req::LEG_CONN_IDLE_STAYS_OPEN;
    idle.expect_nothing_more(rule, "200 Puts on another connection")
        .await
}

/// An order that is answered with this status.
fn order_for(scene: &Scene<'_>, status: Status) -> Checked<Order> {
    Ok(match status {
        Status::WrongNode => {
            let key = scene.ground.foreign_key(1)?;
            talk::put(&scene.channel, key, "value")
        }
        Status::EmptyValue => scene.put(1, ""),
        Status::BadChannelName => talk::get(&"bad.name".into(), scene.key(1)),
        Status::ValueTooBig => scene.put(1, vec![7; 131_073]),
        _ => scene.put(1, "value"),
    })
}

async fn goes_on(ground: &Ground, status: Status) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let order = order_for(&scene, status)?;
    let answer = scene.link.ask(&order).await?;
    if answer.status() != status {
        let answer = told(&answer);
        return Err(Unkept::Inconclusive(format!(
            "{} was to be answered {status}, and was answered {answer}",
            named(&order)
        )));
    }
    let rule = &req::LEG_CONN_GOES_ON;
    let after = format!("{}, answered {status}", named(&order));
    for _ in 0..2 {
        scene.link.expect_nothing_more(rule, &after).await?;
    }
    Ok(())
}

async fn pieces(ground: &Ground, command: Command) -> Checked {
    let mut scene = Scene::open(ground).await?;
    scene.store(1, "value").await?;
    let (channel, key) = (scene.channel.clone(), KeyText::from(scene.key(1)));
    let orders = talk::orders_in(&channel, &key);
    let found = orders.into_iter().find(|order| order.command() == command);
    let order = found.unwrap_or(Order::GetVersion);
    let mut other = ground.legacy_link().await?;
    for (place, byte) in encoded(&order).into_iter().enumerate() {
        scene.link.send_bytes(&[byte]).await;
        // The first ones arrive alone, however busy the node is.
        if place < 4 {
            other.ask(&Order::GetVersion).await?;
        }
    }
    let rule = &req::LEG_CONN_PIECES;
    let heard = hear_ok(&mut scene.link, &order).await;
    heard.map_err(blamed_on(rule))
}

/// Hears an answer with Ok to its end, whatever it brings.
async fn hear_ok(link: &mut LegacyLink, order: &Order) -> Checked {
    let mut request = ClientRequest::new(order.command());
    loop {
        match link.piece(&mut request).await? {
            Event::Answered(answer) if answer.status() != Status::Ok => {
                let observed = told(&answer);
                let (rule, outcome) = (&req::LEG_CONN_PIECES, Outcome::Answer);
                return Err(broken(rule, outcome, named(order), &["Ok (200)"], observed));
            }
            _ if request.is_over() => return Ok(()),
            _ => {}
        }
    }
}
