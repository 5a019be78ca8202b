//! What tallyboard.h declares. Reads that one header in its own style, not C in general.

/// Names, in the header's order.
pub struct Declarations {
    pub functions: Vec<String>,
    /// With their fields.
    pub structs: Vec<(String, Vec<String>)>,
    /// Constants of enums, and macros that are a number.
    pub constants: Vec<String>,
}

impl Declarations {
    pub fn of(header: &str) -> Self {
        let mut found = Declarations {
            functions: Vec::new(),
            structs: Vec::new(),
            constants: Vec::new(),
        };
        let code = without_comments(header);
        let mut statements = String::new();
        for line in code.replace("\\\n", " ").lines() {
            match line.trim_start().strip_prefix("#define ") {
                Some(macro_) => found.constants.extend(numeric_macro(macro_)),
                None if line.trim_start().starts_with('#') || line.starts_with("extern \"C\"") => {}
                None => statements.extend([line, "\n"]),
            }
        }
        for statement in split_outside_braces(&statements) {
            found.add(statement.trim());
        }
        found
    }

    fn add(&mut self, statement: &str) {
        if let Some(body) = statement.strip_prefix("typedef struct") {
            let Some((fields, name)) = body.rsplit_once('}') else {
                return;
            };
            let (_, fields) = fields
                .split_once('{')
                .expect("a struct's fields stand in braces");
            let fields = fields
                .split(';')
                .flat_map(|field| field.split(','))
                .filter_map(last_word);
            self.structs
                .push((name.trim().to_owned(), fields.collect()));
        } else if let Some(body) = statement.strip_prefix("enum") {
            let names = body.trim().trim_matches(['{', '}']).split(',');
            self.constants
                .extend(names.filter_map(|name| last_word(name.split('=').next()?)));
        } else if !statement.starts_with("typedef")
            && let Some((head, _)) = statement.split_once('(')
        {
            self.functions.extend(last_word(head));
        }
    }
}

fn without_comments(text: &str) -> String {
    let mut parts = text.split("/*");
    let mut code = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        code.push_str(part.split_once("*/").expect("every comment ends").1);
    }
    code
}

fn numeric_macro(text: &str) -> Option<String> {
    let (name, value) = text.split_once(' ')?;
    value.trim().parse::<u64>().ok().map(|_| name.to_owned())
}

fn split_outside_braces(code: &str) -> Vec<&str> {
    let (mut depth, mut start, mut statements) = (0_i32, 0, Vec::new());
    for (place, character) in code.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ';' if depth == 0 => {
                statements.push(&code[start..place]);
                start = place + 1;
            }
            _ => {}
        }
    }
    statements
}

/// The name that a declaration declares: its last word, before the length of an array.
fn last_word(declaration: &str) -> Option<String> {
    let declaration = declaration.split('[').next()?;
    let word = declaration
        .rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .find(|word| !word.is_empty())?;
    Some(word.to_owned())
}
