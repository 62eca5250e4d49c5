//! The server: a listener on 127.0.0.1, a thread a connection, at most so many at once.

use super::api::{Api, Place};
use super::error::ExploreError;
use super::guard::Guard;
use super::http::{Method, Response, read_body, read_head};
use super::subject::Subject;
use super::work::Work;
use crate::job::Observer;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Connections at once; the system keeps those that come while there are as many.
const MAX_CONNECTIONS: usize = 64;
/// How often the server looks whether it is to end.
const TICK: Duration = Duration::from_millis(50);

/// A server that is ready to answer.
pub struct Server {
    subject: Subject,
    listener: TcpListener,
    address: SocketAddr,
    guard: Guard,
    work: Work,
    connections: Connections,
}

impl Server {
    /// Listens on a port of 127.0.0.1, 0 for a free one.
    ///
    /// # Errors
    /// [`ExploreError`] where the port is taken.
    pub fn bind(subject: Subject, port: u16) -> Result<Self, ExploreError> {
        let refused = |source| ExploreError::Listen { port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(refused)?;
        Ok(Self {
            address: listener.local_addr().map_err(refused)?,
            subject,
            listener,
            guard: Guard::new().map_err(ExploreError::Random)?,
            work: Work::default(),
            connections: Connections::default(),
        })
    }

    /// The address of the page, with the token that opens it.
    pub fn url(&self) -> String {
        format!("http://{}/{}/", self.address, self.guard.token())
    }

    /// Answers until `observer` says to stop, then ends the work in flight.
    pub fn serve(&self, observer: &dyn Observer) {
        std::thread::scope(|scope| {
            let accepting = scope.spawn(|| {
                while !self.work.is_over() {
                    self.connections.wait_for_room();
                    let Ok((stream, _)) = self.listener.accept() else {
                        // Such as too many open files: others may close some.
                        std::thread::sleep(TICK);
                        continue;
                    };
                    let place = self.connections.take();
                    let answer = move || {
                        let _place = place;
                        self.answer(&stream);
                    };
                    // Without a thread the connection closes.
                    let _ = std::thread::Builder::new().spawn_scoped(scope, answer);
                }
            });
            while observer.advance(0).is_continue() && !accepting.is_finished() {
                std::thread::sleep(TICK);
            }
            self.work.end();
            // Wakes the one that accepts.
            let _ = TcpStream::connect_timeout(&self.address, TICK);
        });
    }

    fn answer(&self, stream: &TcpStream) {
        let is_wanted = || !self.work.is_over();
        let response = || -> Result<Response, Response> {
            let head = read_head(stream, &is_wanted)?;
            // Who may not ask is told so before a body is read.
            let place = Place::of(head.method, self.guard.admit(&head)?)?;
            let body = match head.method {
                Method::Get => Vec::new(),
                Method::Post => read_body(stream, head, place.most(), &is_wanted)?,
            };
            let api = Api {
                subject: &self.subject,
                work: &self.work,
            };
            Ok(api.answer(place, &body, stream))
        };
        match response() {
            Ok(response) | Err(response) => response.write_to(stream),
        }
    }
}

/// How many connections there are.
#[derive(Debug, Default)]
struct Connections {
    open: Mutex<usize>,
    closed: Condvar,
}

/// One of them; it is free again when this is dropped.
struct Taken<'a>(&'a Connections);

impl Connections {
    fn wait_for_room(&self) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = |open: &mut usize| *open >= MAX_CONNECTIONS;
        drop(self.closed.wait_while(open, is_full));
    }

    fn take(&self) -> Taken<'_> {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Taken(self)
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        *self.0.open.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.closed.notify_one();
    }
}
