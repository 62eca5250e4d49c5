//! The bytes of a table to its text, and what separates the cells.
//!
//! ```text
//! bytes ── gzip ──> UTF-8 or UTF-16, by its mark ──> text ── sniffed or told ──> separator
//! ```
//!
//! The separator is the one that splits the header so that the label is one of its cells: what is
//! asked for is known, so nothing is guessed from frequencies. Only where that finds nothing, the
//! one that makes most cells is taken, so that the message about the missing column is of use.

use super::TableError;
use super::limits::MAX_TABLE_BYTES;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::io::Read;

/// What stands between the cells of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Delimiter {
    /// One character, in ASCII.
    Character(u8),
    /// Any run of blanks and tabs.
    Blanks,
}

impl From<Delimiter> for String {
    /// Its name.
    fn from(delimiter: Delimiter) -> Self {
        delimiter.name()
    }
}

impl TryFrom<String> for Delimiter {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::named(&text).ok_or_else(|| {
            format!(
                "expected comma, semicolon, tab, bar, blanks or a character such as :, found \"{text}\""
            )
        })
    }
}

/// Those that are looked for, the likeliest first.
const CANDIDATES: [u8; 4] = [b',', b';', b'\t', b'|'];

impl Delimiter {
    /// A comma.
    pub const COMMA: Self = Self::Character(b',');

    /// As messages and plans name it.
    pub fn name(self) -> String {
        match self {
            Self::Character(b',') => "comma".into(),
            Self::Character(b';') => "semicolon".into(),
            Self::Character(b'\t') => "tab".into(),
            Self::Character(b'|') => "bar".into(),
            Self::Character(other) => char::from(other).into(),
            Self::Blanks => "blanks".into(),
        }
    }

    /// The separator of this name: one of `comma`, `semicolon`, `tab`, `bar` and `blanks`, or the
    /// character itself.
    pub fn named(text: &str) -> Option<Self> {
        Some(match text {
            "comma" => Self::COMMA,
            "semicolon" => Self::Character(b';'),
            "tab" | "\\t" => Self::Character(b'\t'),
            "bar" => Self::Character(b'|'),
            "blanks" | "space" | " " => Self::Blanks,
            // A quotation mark, a digit or a letter is part of a cell.
            _ => match text.as_bytes() {
                [character] if is_separator(*character) => Self::Character(*character),
                _ => return None,
            },
        })
    }

    /// The byte that cells are split at, in a text that [`Delimiter::prepare`] gave.
    pub(super) fn byte(self) -> u8 {
        match self {
            Self::Character(byte) => byte,
            Self::Blanks => b'\t',
        }
    }

    /// Makes single tabs of runs of blanks, outside quotation marks; lines stay what they are.
    pub(super) fn prepare(self, text: Cow<'_, str>) -> Cow<'_, str> {
        match self {
            Self::Character(_) => text,
            Self::Blanks => tabs_for_blanks(&text).into(),
        }
    }
}

fn is_separator(character: u8) -> bool {
    (character.is_ascii_punctuation() && !b"\"'+-._".contains(&character)) || character == b'\t'
}

/// The text of a table's file, without a byte order mark.
pub(super) fn decode(content: &[u8]) -> Result<Cow<'_, str>, TableError> {
    if content.len() as u64 > MAX_TABLE_BYTES {
        return Err(TableError::TooLarge);
    }
    if content.starts_with(&[0x1f, 0x8b]) {
        let mut inflated = Vec::new();
        flate2::read::MultiGzDecoder::new(content)
            .take(MAX_TABLE_BYTES + 1)
            .read_to_end(&mut inflated)
            .map_err(TableError::Gzip)?;
        if inflated.len() as u64 > MAX_TABLE_BYTES {
            return Err(TableError::TooLarge);
        }
        return Ok(decode_plain(&inflated)?.into_owned().into());
    }
    decode_plain(content)
}

fn decode_plain(content: &[u8]) -> Result<Cow<'_, str>, TableError> {
    let read_utf_16: Option<fn([u8; 2]) -> u16> = match content {
        [0xff, 0xfe, ..] => Some(u16::from_le_bytes),
        [0xfe, 0xff, ..] => Some(u16::from_be_bytes),
        _ => None,
    };
    if let Some(read) = read_utf_16 {
        let (units, rest) = content[2..].as_chunks();
        let units: Vec<u16> = units.iter().copied().map(read).collect();
        let text = (String::from_utf16(&units).ok()).filter(|_| rest.is_empty());
        return text.map(Cow::from).ok_or(TableError::NotUtf16);
    }
    let text = std::str::from_utf8(content).map_err(|error| TableError::NotUtf8 {
        line: 1 + line_ends(&content[..error.valid_up_to()]),
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text).into())
}

/// What separates the cells of `text`, whose columns should include `label`; without a header
/// what makes most cells of the first line. The second value is the text without the line
/// `sep=;` by which Excel says it.
pub(super) fn sniff<'a>(
    text: Cow<'a, str>,
    label: &str,
    has_header: bool,
) -> (Delimiter, Cow<'a, str>) {
    let Some(line) = first_line(&text) else {
        return (Delimiter::COMMA, text);
    };
    if let [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', said] = *line.as_bytes()
        && is_separator(said)
    {
        // A blank line in its place keeps the numbers of the others.
        let rest = text.replacen(line, "     ", 1);
        return (Delimiter::Character(said), rest.into());
    }
    // How many cells a separator makes, and whether the label is one of them.
    let split = |delimiter: Delimiter| {
        let line = delimiter.prepare(line.into());
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter.byte())
            .from_reader(line.as_bytes());
        let mut record = csv::StringRecord::new();
        let read = reader.read_record(&mut record).is_ok_and(|more| more);
        let labelled = has_header && record.iter().any(|cell| cell.trim() == label.trim());
        let cells = if read { record.len() } else { 0 };
        // Runs of blanks only where nothing else splits the line.
        (labelled, delimiter != Delimiter::Blanks, cells)
    };
    let best = CANDIDATES
        .into_iter()
        .map(Delimiter::Character)
        .chain([Delimiter::Blanks])
        .map(|delimiter| (split(delimiter), delimiter))
        .filter(|((_, _, cells), _)| *cells > 1)
        // Of equals the first.
        .reduce(|best, other| if other.0 > best.0 { other } else { best });
    let delimiter = best.map_or(Delimiter::COMMA, |(_, delimiter)| delimiter);
    (delimiter, text)
}

fn first_line(text: &str) -> Option<&str> {
    text.split(['\n', '\r'])
        .find(|line| !line.trim().is_empty())
}

fn tabs_for_blanks(text: &str) -> String {
    let mut tabbed = String::with_capacity(text.len());
    let (mut quoted, mut pending, mut begun) = (false, false, false);
    for character in text.chars() {
        match character {
            ' ' | '\t' if !quoted => pending = begun,
            '\n' | '\r' if !quoted => {
                (pending, begun) = (false, false);
                tabbed.push(character);
            }
            _ => {
                if std::mem::take(&mut pending) {
                    tabbed.push('\t');
                }
                begun = true;
                quoted ^= character == '"';
                tabbed.push(character);
            }
        }
    }
    tabbed
}

/// Line ends in `bytes`: `\n`, `\r\n` and a lone `\r` are one each.
pub(super) fn line_ends(bytes: &[u8]) -> usize {
    let newlines = bytes.iter().filter(|&&byte| byte == b'\n').count();
    let returns = bytes.iter().filter(|&&byte| byte == b'\r').count();
    let pairs = bytes.windows(2).filter(|pair| pair == b"\r\n").count();
    newlines + returns - pairs
}
