//! The page at `/`.

use std::fmt::Write;

use crate::boards::BoardSet;

/// What is served here and which boards it comes from.
pub(super) fn page(boards: &BoardSet, telemetry_path: &str) -> String {
    let mut rows = String::new();
    for target in boards.targets() {
        let (state, series) = match target.mapped() {
            Some((board, _)) => ("mapped", board.stats().series.to_string()),
            None => ("not there", String::new()),
        };
        let _ = writeln!(
            rows,
            "<tr><td>{}<td>{}<td>{state}<td>{series}",
            escaped(target.label()),
            escaped(&target.location().to_string()),
        );
    }
    let path = escaped(telemetry_path);
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>Tallyboard</title>\n\
         <style>body{{font-family:sans-serif;margin:2rem}}\
         td,th{{text-align:left;padding:.2rem 1.5rem .2rem 0}}</style>\n\
         <h1>Tallyboard</h1>\n<p>Version {version}\n\
         <ul>\n<li><a href=\"{path}\">Metrics</a>\n<li><a href=\"/-/healthy\">Healthy?</a>\n\
         <li><a href=\"/-/ready\">Ready?</a>\n</ul>\n\
         <table>\n<tr><th>Board<th>Location<th>State<th>Series\n{rows}</table>\n</html>\n"
    )
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        assert_eq!(
            escaped("<a href=\"&\">"),
            "&lt;a href=&quot;&amp;&quot;&gt;"
        );
    }
}
