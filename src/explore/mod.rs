//! The explorer: a local server that computes landscapes while a page asks for them.
//!
//! ```text
//! browser ─ http ─ guard ─ api ─┬─ gallery, subject ─> items, their pictures, those of one's own
//!                               ├─ view ─ work ─> pipeline, engine ─> probabilities as floats
//!                               ├─ boundary ─> sections ─> the exact boundary
//!                               └─ save ─> run ─> a folder as `sweep` writes it
//! ```
//!
//! **The page computes nothing and the server knows no page's state.** A request says all of a view:
//! three items and how they are morphed, in the words of a run's plan. It is computed by the
//! functions that a run computes with, so that a page shows, bit for bit, what the run saved from
//! it holds; the page asks for 11 x 11 points first, then for 21, 81, 201, each as a request of its
//! own. The page is the report's, from the same files (`report/parts.rs`), with another `source`.
//!
//! The server listens on 127.0.0.1, answers who knows the token in its address (`guard.rs`), and has
//! a limit on everything that a request can make it do (`http.rs`, `work.rs`, `view.rs`). It reads and
//! writes no file for a request but the data's own images and the folder that `Save run` names.
//!
//! Rejected: a server crate. The small ones (tiny_http, and rouille on it) limit neither the time
//! that a request may take nor the number of threads; the others bring an asynchronous runtime for
//! one user's few connections. A parser of heads and the standard library's sockets are enough.
//! Rejected as well: web sockets. A newer request is a new connection, and a closed connection says
//! that an answer is no longer wanted.

mod api;
mod boundary;
mod error;
mod gallery;
mod guard;
mod http;
mod item;
mod line;
mod page;
mod python;
mod save;
mod second;
mod server;
mod subject;
mod view;
mod work;

pub use error::ExploreError;
pub use server::Server;
pub use subject::{Asked, Spell, Subject};
