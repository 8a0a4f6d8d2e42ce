//! The random part of a certification: operations that nobody thought of, judged by the reference model.

pub mod minimise;
pub mod plan;
pub mod sequential;
