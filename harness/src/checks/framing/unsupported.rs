//! Requests that the node does not know, or not in this version.

use dht_protocol::neo::forge;
use dht_protocol::neo::request::{RequestCode, SupportedStatus};
use dht_requirements::{self as req, Requirement};

use super::{Check, Ground};
use crate::unkept::Checked;

pub(super) fn checks() -> Vec<Check> {
    let mut checks = Vec::new();
    for code in [0, 11, 12, 100, 128, 200, 255] {
        checks.push(Check::raw(
            format!("unsupported.code-{code}"),
            format!("A request of code {code} is answered \"not supported\", and nothing else."),
            &[
                &req::MUX_UNKNOWN_CODE,
                &req::MUX_UNSUPPORTED_SILENT,
                &req::MUX_UNSUPPORTED_STAYS_OPEN,
            ],
            move |ground| Box::pin(unknown_code(ground, code)),
        ));
    }
    for request in RequestCode::ALL {
        let name = request.name().to_lowercase();
        checks.push(
            Check::raw(
                format!("unsupported.version-of-{name}"),
                format!("{request} in an unknown version is answered so, and nothing else comes."),
                &[
                    &req::MUX_UNKNOWN_VERSION,
                    &req::MUX_UNSUPPORTED_SILENT,
                    &req::MUX_UNSUPPORTED_STAYS_OPEN,
                ],
                move |ground| Box::pin(unknown_version(ground, request)),
            )
            .on(request),
        );
    }
    checks
}

const VERSIONS: [u8; 3] = [1, 7, 255];

async fn unknown_code(ground: &Ground, code: u8) -> Checked {
    let (rule, status) = (&req::MUX_UNKNOWN_CODE, SupportedStatus::NotSupported);
    unsupported(ground, code, 0, rule, status).await?;
    for version in VERSIONS {
        unsupported(ground, code, version, rule, status).await?;
    }
    Ok(())
}

async fn unknown_version(ground: &Ground, request: RequestCode) -> Checked {
    let rule = &req::MUX_UNKNOWN_VERSION;
    let status = SupportedStatus::VersionNotSupported;
    for version in VERSIONS {
        unsupported(ground, request as u8, version, rule, status).await?;
    }
    Ok(())
}

async fn unsupported(
    ground: &Ground,
    code: u8,
    version: u8,
    rule: &'static Requirement,
    status: SupportedStatus,
) -> Checked {
    let mut link = ground.link().await?;
    let sent = format!("a request of code {code} in version {version}");
    let id = link.open(&forge::opening(code, version, &[1; 20])).await;
    let what = format!("{status:?}");
    link.expect(id, rule, &what, &status.encode()).await?;
    link.expect_usable(&req::MUX_UNSUPPORTED_STAYS_OPEN, &sent)
        .await?;
    link.expect_nothing_more(id, &req::MUX_UNSUPPORTED_SILENT, &sent)
        .await
}
