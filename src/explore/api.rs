//! What can be asked, and what is answered.
//!
//! ```text
//! GET  ''         the page
//! GET  library    plotly.js, whose hash the page's policy names
//! GET  run        what the page is built from: the object of `run` (page.rs)
//! GET  work       {running, waiting}
//! POST members    {class?, search?}                        positions of items, u32 each
//! POST items      {positions}                              {items: [{position, name, class, row}], pictures}
//! POST own        a PNG or JPEG file, or a line of values  {own, name, class, note, row, png, pictures}
//! POST view       {page, turn?, items, morph, flat?, line?, measures?}  u32, JSON, f32s (view.rs)
//! POST frames     the same                                 JPEG
//! POST boundary   the same             {models: [...]}, of each {pieces: [s, t, s, t, ...], regions}, of a line
//!                                      {intervals, label, sentence}, or {refused: sentence}
//! POST commands   the same                                 {shell, shell_note, python, python_note}
//! POST save       {view, folder}                           {folder, landscapes, landscape}, of a line {folder}
//! ```
//!
//! Of `items` each is `{item: position}`, `{own: number}` or `{row: [value, ...]}`; `morph`, `flat` and
//! `line` (`"auto"` or `"off"`: whether it is exact) are as in a run's plan. Where what is asked for cannot be had the answer is `{refused: sentence}`, with
//! status 200: that is part of a conversation and no failure. Status 409 is work that a newer
//! request has replaced, whose answer nobody waits for.

use super::error::ExploreError;
use super::http::{Method, Response};
use super::page::page;
use super::save::Save;
use super::subject::Subject;
use super::view::View;
use super::work::{Kind, NotBegun, Ticket, Work};
use crate::report::parts::plotly_js;
use serde::de::DeserializeOwned;
use serde_json::json;
use std::net::TcpStream;

/// A body of JSON.
const MAX_JSON_BYTES: usize = 1 << 20;
/// A file that the user brings.
const MAX_OWN_BYTES: usize = 16 << 20;

/// A place that can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Page,
    Library,
    Run,
    Work,
    Members,
    Items,
    Own,
    View,
    Frames,
    Boundary,
    Commands,
    Save,
}

impl Place {
    const ALL: [(Method, &'static str, Self); 12] = [
        (Method::Get, "", Self::Page),
        (Method::Get, "library", Self::Library),
        (Method::Get, "run", Self::Run),
        (Method::Get, "work", Self::Work),
        (Method::Post, "members", Self::Members),
        (Method::Post, "items", Self::Items),
        (Method::Post, "own", Self::Own),
        (Method::Post, "view", Self::View),
        (Method::Post, "frames", Self::Frames),
        (Method::Post, "boundary", Self::Boundary),
        (Method::Post, "commands", Self::Commands),
        (Method::Post, "save", Self::Save),
    ];

    /// The place of a name, asked in this way. A name is one of the list or none: no file is
    /// looked for.
    pub(super) fn of(method: Method, name: &str) -> Result<Self, Response> {
        let found = Self::ALL.iter().find(|(_, known, _)| *known == name);
        match found {
            Some((expected, _, place)) if *expected == method => Ok(*place),
            Some(_) => Err(Response::refusal(405, "expected the other method")),
            None => Err(Response::refusal(404, "there is nothing of this name")),
        }
    }

    /// Bytes of a body.
    pub(super) fn most(self) -> usize {
        match self {
            Self::Own => MAX_OWN_BYTES,
            _ => MAX_JSON_BYTES,
        }
    }
}

/// What a server answers from.
#[derive(Clone, Copy)]
pub(super) struct Api<'a> {
    pub(super) subject: &'a Subject,
    pub(super) work: &'a Work,
}

impl Api<'_> {
    pub(super) fn answer(&self, place: Place, body: &[u8], stream: &TcpStream) -> Response {
        match self.answered(place, body, stream) {
            Ok(response) | Err(response) => response,
        }
    }

    fn answered(
        &self,
        place: Place,
        body: &[u8],
        stream: &TcpStream,
    ) -> Result<Response, Response> {
        let subject = self.subject;
        let floats = "application/octet-stream";
        Ok(match place {
            Place::Page => {
                let (html, policy) = page();
                Response::page(html, policy)
            }
            Place::Library => Response::new("text/plain; charset=utf-8", plotly_js().as_bytes()),
            Place::Run => Response::json(&said(subject.run().map_err(ExploreError::from))?),
            Place::Work => {
                let [running, waiting] = self.work.in_flight();
                Response::json(&json!({"running": running, "waiting": waiting}))
            }
            Place::Members => Response::new(floats, subject.members(&parsed(body)?)),
            Place::Items => Response::json(&said(subject.shown(&parsed(body)?))?),
            Place::Own => Response::json(&said(subject.brought(body))?),
            Place::View => {
                let view: View = parsed(body)?;
                let ticket = self.begin(&view, Kind::View, stream)?;
                Response::new(floats, said(subject.compute(&view, &ticket))?)
            }
            Place::Frames => {
                let view: View = parsed(body)?;
                let ticket = self.begin(&view, Kind::Frames, stream)?;
                Response::new("image/jpeg", said(subject.frames(&view, &ticket))?)
            }
            Place::Boundary => {
                let view: View = parsed(body)?;
                let _ticket = self.begin(&view, Kind::Boundary, stream)?;
                Response::json(&said(subject.boundary(&view))?)
            }
            Place::Commands => Response::json(&said(subject.commands(&parsed(body)?))?),
            Place::Save => {
                let save: Save = parsed(body)?;
                let ticket = self.begin(&save.view, Kind::Save, stream)?;
                Response::json(&said(subject.save(&save, &ticket))?)
            }
        })
    }

    fn begin<'a>(
        &'a self,
        view: &View,
        kind: Kind,
        stream: &'a TcpStream,
    ) -> Result<Ticket<'a>, Response> {
        self.work
            .begin((&view.page, view.turn), kind, stream)
            .map_err(|why| match why {
                NotBegun::Unwanted => unwanted(),
                NotBegun::Busy => Response::refusal(503, "there is too much work already"),
            })
    }
}

fn unwanted() -> Response {
    Response::refusal(409, "replaced by a newer request")
}

fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, Response> {
    serde_json::from_slice(body)
        .map_err(|error| Response::refusal(400, format!("not what is expected: {error}")))
}

fn said<T>(result: Result<T, ExploreError>) -> Result<T, Response> {
    result.map_err(|error| match error.is_interrupted() {
        true => unwanted(),
        false => Response::json(&json!({"refused": error.sentence()})),
    })
}
