//! The content security policy of a page: what a browser lets it do, whatever names it shows.
//!
//! Everything is forbidden but the page's own scripts and styles, which are named by their
//! SHA-256, and pictures that the page itself carries. So a name or a figure that were taken for
//! markup by mistake could neither run nor load anything. Rejected: a nonce, which would have to
//! be another one for each page to be worth anything, and pages are the same from run to run.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// What a page holds of its own.
pub(crate) struct Own<'a> {
    /// Texts of script elements, those that scripts make included.
    pub(crate) scripts: &'a [&'a str],
    /// Texts of style elements.
    pub(crate) styles: &'a [&'a str],
    /// Style attributes.
    pub(crate) style_attributes: &'a [&'a str],
}

/// The policy as an element of the page's head, to stand before all scripts and styles.
pub(super) fn policy(own: &Own<'_>) -> String {
    format!(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">",
        directives(own)
    )
}

/// The policy itself.
pub(crate) fn directives(own: &Own<'_>) -> String {
    let mut styles = sources(own.styles);
    if !own.style_attributes.is_empty() {
        // The name is the standard's: the attributes with these hashes, and no others.
        styles += " 'unsafe-hashes'";
        styles += &sources(own.style_attributes);
    }
    let scripts = match own.scripts {
        [] => " 'none'".to_owned(),
        scripts => sources(scripts),
    };
    format!(
        "default-src 'none'; script-src{scripts}; style-src{styles}; img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
}

/// Texts as a policy names them.
fn sources(texts: &[&str]) -> String {
    texts
        .iter()
        .map(|text| format!(" 'sha256-{}'", STANDARD.encode(Sha256::digest(text))))
        .collect()
}
