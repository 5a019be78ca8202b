//! Digits as people read them.

/// In groups of three.
pub(super) fn grouped(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_three() {
        let numbers = ["", "0", "999", "1000", "1234567"].map(grouped);
        assert_eq!(numbers, ["", "0", "999", "1,000", "1,234,567"]);
    }
}
