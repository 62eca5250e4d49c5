//! A recording: what is to be computed, as plain data that any engine can run.
//!
//! Untyped buffer numbers stay in here: kernels take and return [`Buf<T>`], which knows what
//! it holds and how much.

use super::{Constant, Kernel};
use bytemuck::Pod;
use std::marker::PhantomData;

/// A buffer of a recording holding `len` values of `T`.
#[derive(Debug)]
pub struct Buf<T> {
    id: usize,
    len: usize,
    holds: PhantomData<T>,
}

impl<T> Clone for Buf<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Buf<T> {}

impl<T> Buf<T> {
    /// Number of values.
    pub fn len(self) -> usize {
        self.len
    }

    /// Whether it holds nothing.
    pub fn is_empty(self) -> bool {
        self.len == 0
    }
}

/// A buffer's declaration.
#[derive(Debug, Clone)]
pub struct Buffer {
    /// What it holds, e.g. `warp.frames`.
    pub label: &'static str,
    /// Size, 32-bit words.
    pub words: usize,
    /// What it starts with.
    pub contents: Contents,
}

/// What a buffer starts with.
#[derive(Debug, Clone)]
pub enum Contents {
    /// Nothing: it is filled by the command that names it as its output.
    Computed,
    /// Words of this recording's own.
    Upload(Vec<u32>),
    /// Values that other recordings have, too.
    Constant(Constant),
}

impl Buffer {
    /// The words it starts with, as a shader reads them.
    pub fn given(&self) -> Option<&[u32]> {
        match &self.contents {
            Contents::Computed => None,
            Contents::Upload(words) => Some(words),
            Contents::Constant(constant) => Some(constant.words()),
        }
    }

    /// The same, as a kernel's twin reads them.
    pub fn given_to_twin(&self) -> Option<&[u32]> {
        match &self.contents {
            Contents::Constant(constant) => Some(constant.twin_words()),
            _ => self.given(),
        }
    }
}

/// One run of a kernel.
#[derive(Debug, Clone)]
pub struct Command {
    /// Which kernel.
    pub kernel: Kernel,
    /// Its parameters, words.
    pub params: Vec<u32>,
    /// Buffers it reads, in binding order.
    pub inputs: Vec<usize>,
    /// The buffer it fills.
    pub output: usize,
    /// Workgroups to run.
    pub workgroups: usize,
}

impl Command {
    /// The shader's constants that it is compiled for, and their values.
    pub fn constants(&self) -> Vec<(&'static str, u32)> {
        let compiled_for = self.kernel.spec().compiled_for.iter();
        compiled_for
            .map(|&(name, word)| (name, self.params[word]))
            .collect()
    }
}

/// Buffers, commands in order, and what to bring back.
#[derive(Debug, Clone, Default)]
pub struct Recording {
    buffers: Vec<Buffer>,
    commands: Vec<Command>,
    downloads: Vec<usize>,
    most_workgroups: Option<usize>,
}

impl Recording {
    /// An empty recording.
    pub fn new() -> Self {
        Self::default()
    }

    /// A buffer that starts with `values`. `T` is made of 32-bit words.
    pub fn upload<T: Pod>(&mut self, label: &'static str, values: &[T]) -> Buf<T> {
        let words: Vec<u32> = bytemuck::cast_slice(values).to_vec();
        self.declare(
            Buffer {
                label,
                words: words.len(),
                contents: Contents::Upload(words),
            },
            values.len(),
        )
    }

    /// A buffer of values that outlive the recording: nothing is copied here, and an engine may
    /// keep them where it computes.
    pub fn constant(&mut self, label: &'static str, constant: &Constant) -> Buf<f32> {
        self.declare(
            Buffer {
                label,
                words: constant.len(),
                contents: Contents::Constant(constant.clone()),
            },
            constant.len(),
        )
    }

    /// Brings `buf` back when the recording has run.
    pub fn download<T: Pod>(&mut self, buf: Buf<T>) {
        if !self.downloads.contains(&buf.id) {
            self.downloads.push(buf.id);
        }
    }

    /// Has every command run with at most so many workgroups in one dimension, where a device would
    /// take more: small recordings then go the way of large ones. Results stay the same.
    pub fn fold_at(&mut self, workgroups: usize) {
        self.most_workgroups = Some(workgroups);
    }

    /// See [`Recording::fold_at`].
    pub fn most_workgroups(&self) -> Option<usize> {
        self.most_workgroups
    }

    /// Appends a command whose output is a new buffer of `len` values.
    pub(super) fn command<P: Pod, T: Pod>(
        &mut self,
        kernel: Kernel,
        params: P,
        inputs: &[usize],
        (label, len): (&'static str, usize),
        workgroups: usize,
    ) -> Buf<T> {
        let words = len * size_of::<T>() / size_of::<u32>();
        let output = self.declare(
            Buffer {
                label,
                words,
                contents: Contents::Computed,
            },
            len,
        );
        let params = bytemuck::cast_slice(&[params]).to_vec();
        self.commands.push(Command {
            kernel,
            params,
            inputs: inputs.to_vec(),
            output: output.id,
            workgroups,
        });
        output
    }

    /// The number of a buffer, for a command's inputs.
    pub(super) fn id<T>(&self, buf: Buf<T>) -> usize {
        assert!(
            buf.id < self.buffers.len(),
            "a buffer belongs to the recording that made it"
        );
        buf.id
    }

    fn declare<T>(&mut self, buffer: Buffer, len: usize) -> Buf<T> {
        self.buffers.push(buffer);
        Buf {
            id: self.buffers.len() - 1,
            len,
            holds: PhantomData,
        }
    }

    /// The declared buffers; a command's numbers are positions here.
    pub fn buffers(&self) -> &[Buffer] {
        &self.buffers
    }

    /// The commands, in order.
    pub fn commands(&self) -> &[Command] {
        &self.commands
    }

    /// The commands of one kernel, run so many times over, for measuring: what the commands of
    /// other kernels would have computed is zeros, and nothing is brought back.
    pub fn only(&self, kernel: Kernel, times: usize) -> Self {
        let commands: Vec<Command> = self
            .commands
            .iter()
            .filter(|c| c.kernel == kernel)
            .cloned()
            .collect();
        let used = |id: usize| {
            commands
                .iter()
                .any(|c| c.inputs.contains(&id) || c.output == id)
        };
        let computed = |id: usize| commands.iter().any(|c| c.output == id);
        let buffers = self
            .buffers
            .iter()
            .enumerate()
            .map(|(id, buffer)| match &buffer.contents {
                _ if !used(id) => Buffer {
                    words: 0,
                    contents: Contents::Computed,
                    ..*buffer
                },
                Contents::Computed if !computed(id) => Buffer {
                    contents: Contents::Upload(vec![0; buffer.words]),
                    ..*buffer
                },
                _ => buffer.clone(),
            });
        Self {
            buffers: buffers.collect(),
            commands: (0..times).flat_map(|_| commands.iter().cloned()).collect(),
            downloads: Vec::new(),
            most_workgroups: self.most_workgroups,
        }
    }

    /// Floating-point operations of a kernel's commands, and the bytes of their inputs and
    /// outputs, each once a command.
    pub fn work(&self, kernel: Kernel) -> Work {
        let mut work = Work::default();
        for command in self
            .commands
            .iter()
            .filter(|command| command.kernel == kernel)
        {
            let words = self.buffers[command.output].words;
            work.flop += (kernel.spec().flop)(&command.params) * words as u64;
            let buffers = command.inputs.iter().chain([&command.output]);
            work.bytes += buffers
                .map(|&id| 4 * self.buffers[id].words as u64)
                .sum::<u64>();
        }
        work
    }

    /// Numbers of the buffers to bring back.
    pub fn downloads(&self) -> &[usize] {
        &self.downloads
    }
}

/// What commands have to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Work {
    /// Floating-point operations.
    pub flop: u64,
    /// Bytes in and out.
    pub bytes: u64,
}

/// What a recording brought back.
#[derive(Debug, Default)]
pub struct Downloads {
    buffers: Vec<(usize, Vec<u32>)>,
}

impl Downloads {
    /// The words of each of [`Recording::downloads`], in that order.
    pub fn new(recording: &Recording, words: Vec<Vec<u32>>) -> Self {
        Self {
            buffers: recording.downloads.iter().copied().zip(words).collect(),
        }
    }

    /// All words, buffer by buffer.
    pub fn words(&self) -> impl Iterator<Item = u32> {
        self.buffers.iter().flat_map(|(_, words)| words).copied()
    }

    /// The values of `buf`.
    ///
    /// # Panics
    /// When `buf` was not asked for with [`Recording::download`].
    pub fn values<T: Pod>(&self, buf: Buf<T>) -> &[T] {
        let (_, words) = self
            .buffers
            .iter()
            .find(|(id, _)| *id == buf.id)
            .expect("only downloaded buffers are read");
        bytemuck::cast_slice(words)
    }
}
