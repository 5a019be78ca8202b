//! Protocol buffers' wire format, the part that is written.
//!
//! What is not known before is written in a fixed width: a number may have more bytes than it
//! needs, the last ones zero, and every decoder reads it. So the length of a message is known
//! before the values in it are, and a family of a million series can be sent while it is read.

/// Bytes of a number in its fixed width: room for any of 64 bits.
pub(super) const WIDE: usize = 10;
/// Bytes of a length in its fixed width: room for 35 bits.
pub(super) const WIDE_LEN: usize = 5;

/// A field's number and how it is written.
pub(super) const fn varint_key(field: u8) -> u8 {
    field << 3
}

/// As [`varint_key`], of a double.
pub(super) const fn double_key(field: u8) -> u8 {
    (field << 3) | 1
}

/// As [`varint_key`], of a string or a message.
pub(super) const fn bytes_key(field: u8) -> u8 {
    (field << 3) | 2
}

/// As [`write_varint`], in `width` bytes if it needs no more.
pub(super) fn write_varint_in(width: usize, value: u64, out: &mut Vec<u8>) {
    let start = out.len();
    write_varint(value, out);
    let short = width.saturating_sub(out.len() - start);
    if short > 0 {
        if let Some(last) = out.last_mut() {
            *last |= 0x80;
        }
        out.resize(out.len() + short - 1, 0x80);
        out.push(0);
    }
}

pub(super) fn write_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Bytes of a number that is written as short as it can be.
pub(super) const fn varint_len(value: u64) -> usize {
    match value.checked_ilog2() {
        None => 1,
        Some(bit) => bit as usize / 7 + 1,
    }
}

/// The number in `WIDTH` bytes; what does not fit is lost.
pub(super) fn wide<const WIDTH: usize>(mut value: u64) -> [u8; WIDTH] {
    let mut bytes = [0x80; WIDTH];
    for byte in &mut bytes {
        *byte |= value as u8 & 0x7f;
        value >>= 7;
    }
    bytes[WIDTH - 1] &= 0x7f;
    bytes
}

/// The length that [`wide`] wrote.
pub(super) fn read_wide(bytes: &[u8]) -> usize {
    let groups = bytes.iter().rev();
    groups.fold(0, |length, byte| (length << 7) | usize::from(byte & 0x7f))
}

pub(super) fn write_bytes(field: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(bytes_key(field));
    write_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// Of all NaNs there is only the usual one: by another one Prometheus notes that a series has ended.
pub(super) fn write_double(field: u8, value: f64, out: &mut Vec<u8>) {
    let value = if value.is_nan() { f64::NAN } else { value };
    out.push(double_key(field));
    out.extend_from_slice(&value.to_le_bytes());
}

/// As an integer field of `1 + WIDE` bytes.
pub(super) fn write_wide(field: u8, value: u64, out: &mut Vec<u8>) {
    out.push(varint_key(field));
    out.extend_from_slice(&wide::<WIDE>(value));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_nan_says_that_a_series_has_ended() {
        let stale = f64::from_bits(0x7FF0_0000_0000_0002);
        let mut written = Vec::new();
        write_double(1, stale, &mut written);
        assert_eq!(written[1..], f64::NAN.to_le_bytes());
    }

    #[test]
    fn both_widths_read_back() {
        for value in [0, 1, 127, 128, 300, 1 << 34, 1 << 63, u64::MAX] {
            let mut short = Vec::new();
            write_varint(value, &mut short);
            assert_eq!(short.len(), varint_len(value));
            let read = |mut bytes: &[u8]| prost::encoding::decode_varint(&mut bytes).unwrap();
            assert_eq!(read(&short), value);
            assert_eq!(read(&wide::<WIDE>(value)), value);
            for width in 1..=WIDE {
                let mut padded = Vec::new();
                write_varint_in(width, value, &mut padded);
                assert_eq!(
                    (read(&padded), padded.len()),
                    (value, width.max(short.len()))
                );
            }
        }
    }
}
