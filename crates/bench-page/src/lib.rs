//! Figures in a page of text: they stand between `<!-- NAME -->` and `<!-- /NAME -->`.

use std::path::Path;

/// Puts `text` between the marks of this name in a file; if it has no such marks, or is not there, at
/// its end.
pub fn fill(file: &Path, name: &str, text: &str) -> Result<(), String> {
    let page = std::fs::read_to_string(file).unwrap_or_default();
    let filled = filled(&page, name, text).unwrap_or_else(|| format!("{page}{text}\n"));
    std::fs::write(file, filled).map_err(|e| format!("{}: {e}", file.display()))
}

fn filled(page: &str, name: &str, text: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- {name} -->"), format!("<!-- /{name} -->"));
    let (before, rest) = page.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}\n\n{}\n\n{end}{after}", text.trim()))
}
