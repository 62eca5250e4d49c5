//! Arrays of numbers or texts, as `.npz`, `.safetensors` and IDX files hold them.
//!
//! A value is decoded from its bytes here, whatever container they come from, so a type is read the
//! same way everywhere. What is read grows with what the file holds, never with what a header
//! promises.

use half::{bf16, f16};
use std::io::{self, Read};

/// An array that has been read, row-major.
pub(super) struct Array {
    pub(super) shape: Vec<usize>,
    pub(super) values: Values,
}

pub(super) enum Values {
    /// Whole numbers 0..255.
    Bytes(Vec<u8>),
    /// 0 and 1.
    Truths(Vec<u8>),
    Floats(Vec<f32>),
    /// Whole numbers of any other type.
    Whole(Vec<i64>),
    Text(Vec<String>),
}

/// The type of a value in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F16,
    Bf16,
    F32,
    F64,
    /// Unicode text of so many characters, four bytes each.
    Utf32(usize),
    /// Text of so many bytes.
    Ascii(usize),
}

/// Longest text of a label, characters.
const MAX_TEXT: usize = 1 << 10;

impl Kind {
    /// The type that numpy writes as `text`, without the byte order: `f4`, `U5`.
    pub(super) fn of_numpy(text: &str) -> Option<Self> {
        Some(match text {
            "b1" => Self::Bool,
            "u1" => Self::U8,
            "i1" => Self::I8,
            "u2" => Self::U16,
            "i2" => Self::I16,
            "u4" => Self::U32,
            "i4" => Self::I32,
            "u8" => Self::U64,
            "i8" => Self::I64,
            "f2" => Self::F16,
            "f4" => Self::F32,
            "f8" => Self::F64,
            _ => {
                let length = |text: &str| {
                    text.parse()
                        .ok()
                        .filter(|length| (1..=MAX_TEXT).contains(length))
                };
                match text.split_at_checked(1)? {
                    ("U", characters) => Self::Utf32(length(characters)?),
                    ("S", bytes) => Self::Ascii(length(bytes)?),
                    _ => return None,
                }
            }
        })
    }

    /// The type that an IDX file numbers `code`.
    pub(super) fn of_idx(code: u8) -> Option<Self> {
        Some(match code {
            0x08 => Self::U8,
            0x09 => Self::I8,
            0x0b => Self::I16,
            0x0c => Self::I32,
            0x0d => Self::F32,
            0x0e => Self::F64,
            _ => return None,
        })
    }

    /// Bytes of a value in the file.
    pub(super) fn file_bytes(self) -> usize {
        match self {
            Self::Bool | Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 | Self::F16 | Self::Bf16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
            Self::Utf32(characters) => 4 * characters,
            Self::Ascii(bytes) => bytes,
        }
    }

    /// Bytes of a value as it is kept.
    pub(super) fn kept_bytes(self) -> usize {
        match self {
            Self::Bool | Self::U8 => 1,
            Self::F16 | Self::Bf16 | Self::F32 | Self::F64 => 4,
            Self::Utf32(_) | Self::Ascii(_) => size_of::<String>() + self.file_bytes(),
            _ => 8,
        }
    }

    /// Reads `count` values.
    ///
    /// # Errors
    /// When there are fewer, or a text is none.
    pub(super) fn read(
        self,
        source: &mut impl Read,
        count: usize,
        endian: Endian,
    ) -> io::Result<Values> {
        Ok(match self {
            Self::U8 => Values::Bytes(read_exactly(source, count)?),
            Self::Bool => {
                let mut truths = read_exactly(source, count)?;
                for truth in &mut truths {
                    *truth = u8::from(*truth != 0);
                }
                Values::Truths(truths)
            }
            Self::I8 => whole(source, count, endian, |b| i8::from_le_bytes(b).into())?,
            Self::U16 => whole(source, count, endian, |b| u16::from_le_bytes(b).into())?,
            Self::I16 => whole(source, count, endian, |b| i16::from_le_bytes(b).into())?,
            Self::U32 => whole(source, count, endian, |b| u32::from_le_bytes(b).into())?,
            Self::I32 => whole(source, count, endian, |b| i32::from_le_bytes(b).into())?,
            // Past what is kept it is neither a level nor a class, and said to be too large.
            Self::U64 => whole(source, count, endian, |b| {
                u64::from_le_bytes(b).try_into().unwrap_or(i64::MAX)
            })?,
            Self::I64 => whole(source, count, endian, i64::from_le_bytes)?,
            Self::F16 => floats(source, count, endian, |b| f16::from_le_bytes(b).to_f32())?,
            Self::Bf16 => floats(source, count, endian, |b| bf16::from_le_bytes(b).to_f32())?,
            Self::F32 => floats(source, count, endian, f32::from_le_bytes)?,
            Self::F64 => floats(source, count, endian, |b| f64::from_le_bytes(b) as f32)?,
            Self::Utf32(characters) => {
                let texts = (0..count).map(|_| {
                    let read = |b| u32::from_le_bytes(b);
                    let codes: Vec<u32> = decode(source, characters, endian, read)?;
                    // numpy fills up with zeros.
                    let end = codes.iter().rposition(|&code| code != 0);
                    let text: Option<String> = codes[..end.map_or(0, |end| end + 1)]
                        .iter()
                        .map(|&code| char::from_u32(code))
                        .collect();
                    text.ok_or_else(|| io::Error::other("a text that is no Unicode"))
                });
                Values::Text(texts.collect::<io::Result<_>>()?)
            }
            Self::Ascii(bytes) => {
                let texts = (0..count).map(|_| {
                    let text = read_exactly(source, bytes)?;
                    let end = text.iter().rposition(|&byte| byte != 0);
                    String::from_utf8(text[..end.map_or(0, |end| end + 1)].to_vec())
                        .map_err(io::Error::other)
                });
                Values::Text(texts.collect::<io::Result<_>>()?)
            }
        })
    }
}

/// The order of a value's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endian {
    Little,
    Big,
}

/// Most bytes read at a time.
const CHUNK_BYTES: usize = 1 << 16;

fn whole<const N: usize>(
    source: &mut impl Read,
    count: usize,
    endian: Endian,
    value: impl Fn([u8; N]) -> i64,
) -> io::Result<Values> {
    decode(source, count, endian, value).map(Values::Whole)
}

fn floats<const N: usize>(
    source: &mut impl Read,
    count: usize,
    endian: Endian,
    value: impl Fn([u8; N]) -> f32,
) -> io::Result<Values> {
    decode(source, count, endian, value).map(Values::Floats)
}

/// `count` values of `N` bytes; `value` takes those of a little-endian one.
fn decode<const N: usize, T>(
    source: &mut impl Read,
    count: usize,
    endian: Endian,
    value: impl Fn([u8; N]) -> T,
) -> io::Result<Vec<T>> {
    let mut values = Vec::new();
    let mut buffer = vec![0; count.min(CHUNK_BYTES / N) * N];
    while values.len() < count {
        let take = (count - values.len()).min(CHUNK_BYTES / N) * N;
        source.read_exact(&mut buffer[..take])?;
        let (chunks, _) = buffer[..take].as_chunks::<N>();
        values.extend(chunks.iter().map(|&(mut bytes)| {
            if endian == Endian::Big {
                bytes.reverse();
            }
            value(bytes)
        }));
    }
    Ok(values)
}

fn read_exactly(source: &mut impl Read, count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(count as u64).read_to_end(&mut bytes)?;
    match bytes.len() == count {
        true => Ok(bytes),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

impl Array {
    /// The array of values that stand with the first index fastest, as Fortran has them.
    pub(super) fn first_index_slowest(self) -> Self {
        let order = positions(&self.shape, &fortran_strides(&self.shape));
        self.taken(order)
    }

    /// The array with its axes in another order: axis `k` of the result is axis `axes[k]` of this.
    pub(super) fn permuted<const N: usize>(self, axes: [usize; N]) -> Self {
        let shape = axes.map(|axis| self.shape[axis]);
        let mut strides = vec![1; N];
        for axis in (1..N).rev() {
            strides[axis - 1] = strides[axis] * self.shape[axis];
        }
        let order = positions(&shape, &axes.map(|axis| strides[axis]));
        let mut array = self.taken(order);
        array.shape = shape.to_vec();
        array
    }

    /// The array without the last of the channels of its last axis.
    pub(super) fn without_last_channel(self, shape: [usize; 4]) -> Self {
        let channels = shape[3];
        let count: usize = shape.iter().product();
        let kept = (0..count).filter(|at| at % channels != channels - 1);
        let mut array = self.taken(kept);
        array.shape = vec![shape[0], shape[1], shape[2], channels - 1];
        array
    }

    /// The values at `positions`, in their order.
    fn taken(self, positions: impl Iterator<Item = usize>) -> Self {
        fn pick<T: Clone>(values: &[T], positions: impl Iterator<Item = usize>) -> Vec<T> {
            positions.map(|at| values[at].clone()).collect()
        }
        Self {
            shape: self.shape,
            values: match self.values {
                Values::Bytes(values) => Values::Bytes(pick(&values, positions)),
                Values::Truths(values) => Values::Truths(pick(&values, positions)),
                Values::Floats(values) => Values::Floats(pick(&values, positions)),
                Values::Whole(values) => Values::Whole(pick(&values, positions)),
                Values::Text(values) => Values::Text(pick(&values, positions)),
            },
        }
    }
}

fn fortran_strides(shape: &[usize]) -> Vec<usize> {
    let before = |axis: usize| shape[..axis].iter().product();
    (0..shape.len()).map(before).collect()
}

/// Where the values of an array of `shape`, row by row, stand by `strides`.
fn positions(shape: &[usize], strides: &[usize]) -> impl Iterator<Item = usize> + use<> {
    let count: usize = shape.iter().product();
    let (shape, strides) = (shape.to_vec(), strides.to_vec());
    (0..count).map(move |mut index| {
        let mut position = 0;
        for axis in (0..shape.len()).rev() {
            position += index % shape[axis] * strides[axis];
            index /= shape[axis];
        }
        position
    })
}
