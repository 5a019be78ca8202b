//! The sequences on x86-64: add to an integer cell, add to a float cell, both for an
//! observation, begin a unit.
//!
//! All share one frame: `frame!` puts the descriptor and the abort target where they belong
//! and reads this CPU's plane. It loads the addresses that it needs itself: an update has few
//! registers to spare, and what it would spill costs more than the loads. Labels are numeric without the
//! digits 0 and 1, which an assembler could take for binary. Flags are clobbered by default;
//! memory too, since `nostack` is the only option.

use super::{Addresses, Outcome, Target};
use core::mem::offset_of;

/// The text of a sequence around `body`, whose last instruction is the commit. On entry to
/// the body `{t}` is the address of this CPU's plane, `{cpu}` its number, and the head's state
/// is the tag; `{scratch}` is free.
macro_rules! frame {
    ($($body:literal),+ $(,)?) => {
        concat!(
            // struct rseq_cs: version, flags, start, length, abort.
            ".pushsection __rseq_cs, \"aw?\"\n",
            ".balign 32\n",
            "22: .long 0, 0\n",
            ".quad 33f, 44f - 33f, 55f\n",
            ".popsection\n",
            "lea {t}, [rip + 22b]\n",
            "mov fs:[{area} + 8], {t}\n",
            "33:\n",
            "mov {cpu:e}, fs:[{area} + 4]\n",
            // An unregistered thread reads -1 or -2, which is above any count.
            "cmp {cpu:e}, dword ptr [{addresses} + {count}]\n",
            "jae {no_plane}\n",
            "mov {t}, [{addresses} + {planes}]\n",
            "mov {t}, [{t} + {cpu} * 8]\n",
            "test {t}, {t}\n",
            "jz {no_plane}\n",
            "mov {scratch}, [{addresses} + {states}]\n",
            "cmp [{scratch} + {head} * 8], {tag}\n",
            "jne {ended}\n",
            $($body, "\n",)+
            "44:\n",
            // ud1 with the signature as its displacement: never executed, valid to a
            // disassembler, and the four bytes before the abort target are the signature.
            ".pushsection __rseq_failure, \"ax?\"\n",
            ".byte 0x0f, 0xb9, 0x3d\n",
            ".long 0x53053053\n",
            "55: jmp {aborted}\n",
            ".popsection\n",
        )
    };
}

/// Adds `amount` to the integer cell at word `cell` of the plane, if the head's state and the
/// unit at word `unit` carry the tag.
///
/// # Safety
/// `target` and its addresses as their fields say: `planes` has `plane_count` entries, each null or
/// the address of a reserved plane; `states` has the head's word. Every plane has the unit, and
/// `cell` is one of its three.
#[inline(always)]
pub(crate) unsafe fn add_int(target: &Target, unit: u64, cell: u64, amount: u64) -> Outcome {
    // SAFETY: the caller's promises make each access one to mapped memory. Only `t`, `cpu`
    // and `scratch` are written, `out`s that share no input; nothing is pushed. The words
    // written belong to this CPU: a sequence elsewhere writes other planes, and one on this CPU
    // cannot interleave, because the kernel restarts whichever was interrupted.
    unsafe {
        core::arch::asm!(
            frame!(
                "cmp [{t} + {unit} * 8], {tag}",
                "jne {other_tag}",
                "add qword ptr [{t} + {cell} * 8], {amount}",
            ),
            t = out(reg) _,
            cpu = out(reg) _,
            scratch = out(reg) _,
            area = in(reg) target.addresses.area,
            addresses = in(reg) target.addresses,
            count = const offset_of!(Addresses, plane_count),
            planes = const offset_of!(Addresses, planes),
            states = const offset_of!(Addresses, states),
            head = in(reg) target.head,
            tag = in(reg) target.tag,
            unit = in(reg) unit,
            cell = in(reg) cell,
            amount = in(reg) amount,
            no_plane = label { return Outcome::NoPlane },
            ended = label { return Outcome::Ended },
            other_tag = label { return Outcome::OtherTag },
            aborted = label { return Outcome::Aborted },
            options(nostack),
        );
    }
    Outcome::Done
}

/// Adds `amount` to the float cell at word `cell` of the plane; otherwise as [`add_int`].
///
/// # Safety
/// As [`add_int`].
#[inline(always)]
pub(crate) unsafe fn add_float(target: &Target, unit: u64, cell: u64, amount: f64) -> Outcome {
    // SAFETY: as in `add_int`; the register that holds the sum is an `out` too, and the
    // store that commits it is the last instruction.
    unsafe {
        core::arch::asm!(
            frame!(
                "cmp [{t} + {unit} * 8], {tag}",
                "jne {other_tag}",
                "movsd {sum}, qword ptr [{t} + {cell} * 8]",
                "addsd {sum}, {amount}",
                "movsd qword ptr [{t} + {cell} * 8], {sum}",
            ),
            t = out(reg) _,
            cpu = out(reg) _,
            scratch = out(reg) _,
            sum = out(xmm_reg) _,
            area = in(reg) target.addresses.area,
            addresses = in(reg) target.addresses,
            count = const offset_of!(Addresses, plane_count),
            planes = const offset_of!(Addresses, planes),
            states = const offset_of!(Addresses, states),
            head = in(reg) target.head,
            tag = in(reg) target.tag,
            unit = in(reg) unit,
            cell = in(reg) cell,
            amount = in(xmm_reg) amount,
            no_plane = label { return Outcome::NoPlane },
            ended = label { return Outcome::Ended },
            other_tag = label { return Outcome::OtherTag },
            aborted = label { return Outcome::Aborted },
            options(nostack),
        );
    }
    Outcome::Done
}

/// Adds one to the integer cell at word `cell` of the plane, whose unit is at word `unit`, and
/// then `amount` to cell 0 of the unit at word `sum_unit`: two commits, the second of which
/// knows the plane from the first and only asks whether the CPU still is the same.
/// [`Outcome::Half`]: the first was made and the second was not.
///
/// # Safety
/// As [`add_int`], for both units.
#[inline(always)]
pub(crate) unsafe fn observe(
    target: &Target,
    unit: u64,
    cell: u64,
    sum_unit: u64,
    amount: f64,
) -> Outcome {
    // SAFETY: as in `add_int` and `add_float`. The second sequence has a descriptor and an
    // abort target of its own; between the two nothing is protected, and `{t}` may be the
    // plane of a CPU that the thread has left: the second begins by comparing the number.
    unsafe {
        core::arch::asm!(
            ".pushsection __rseq_cs, \"aw?\"",
            ".balign 32",
            "66: .long 0, 0",
            ".quad 77f, 88f - 77f, 99f",
            ".popsection",
            frame!(
                "cmp [{t} + {unit} * 8], {tag}",
                "jne {other_tag}",
                "add qword ptr [{t} + {cell} * 8], 1",
            ),
            "lea {scratch}, [rip + 66b]",
            "mov fs:[{area} + 8], {scratch}",
            "77:",
            "cmp fs:[{area} + 4], {cpu:e}",
            "jne {half}",
            "cmp [{t} + {sum_unit} * 8], {tag}",
            "jne {half}",
            "movsd {sum}, qword ptr [{t} + {sum_unit} * 8 + 8]",
            "addsd {sum}, {amount}",
            "movsd qword ptr [{t} + {sum_unit} * 8 + 8], {sum}",
            "88:",
            ".pushsection __rseq_failure, \"ax?\"",
            ".byte 0x0f, 0xb9, 0x3d",
            ".long 0x53053053",
            "99: jmp {half}",
            ".popsection",
            t = out(reg) _,
            cpu = out(reg) _,
            scratch = out(reg) _,
            sum = out(xmm_reg) _,
            area = in(reg) target.addresses.area,
            addresses = in(reg) target.addresses,
            count = const offset_of!(Addresses, plane_count),
            planes = const offset_of!(Addresses, planes),
            states = const offset_of!(Addresses, states),
            head = in(reg) target.head,
            tag = in(reg) target.tag,
            unit = in(reg) unit,
            cell = in(reg) cell,
            sum_unit = in(reg) sum_unit,
            amount = in(xmm_reg) amount,
            no_plane = label { return Outcome::NoPlane },
            ended = label { return Outcome::Ended },
            other_tag = label { return Outcome::OtherTag },
            aborted = label { return Outcome::Aborted },
            half = label { return Outcome::Half },
            options(nostack),
        );
    }
    Outcome::Done
}

/// Begins a life in this CPU's unit at word `unit` of the plane: zeroes the cells of an
/// older one and writes the tag.
/// [`Outcome::Aborted`] also when the unit carries the tag already. `own_state` must say
/// `own_word`: for a continuation that it still belongs to the head, for a head the tag.
///
/// # Safety
/// As [`add_int`]; `own_state` is readable.
#[cold]
pub(crate) unsafe fn begin(
    target: &Target,
    unit: u64,
    own_state: *const u64,
    own_word: u64,
) -> Outcome {
    // SAFETY: as in `add_int`. The cells may be zeroed and the sequence then aborted before
    // the tag: they belong to a life that is over, since the state says another tag.
    // ORDERING: [U1] Release, by x86: stores become visible in their order and the tag is the
    // last one; pairs with the Acquire in `fold_cell`. Whoever sees it sees zeroed cells.
    unsafe {
        core::arch::asm!(
            frame!(
                "cmp [{t} + {unit} * 8], {tag}",
                "je {aborted}",
                "cmp [{own_state}], {own_word}",
                "jne {ended}",
                "lea {t}, [{t} + {unit} * 8]",
                "mov qword ptr [{t} + 8], 0",
                "mov qword ptr [{t} + 16], 0",
                "mov qword ptr [{t} + 24], 0",
                "mov [{t}], {tag}",
            ),
            t = out(reg) _,
            cpu = out(reg) _,
            scratch = out(reg) _,
            area = in(reg) target.addresses.area,
            addresses = in(reg) target.addresses,
            count = const offset_of!(Addresses, plane_count),
            planes = const offset_of!(Addresses, planes),
            states = const offset_of!(Addresses, states),
            head = in(reg) target.head,
            tag = in(reg) target.tag,
            unit = in(reg) unit,
            own_state = in(reg) own_state,
            own_word = in(reg) own_word,
            no_plane = label { return Outcome::NoPlane },
            ended = label { return Outcome::Ended },
            aborted = label { return Outcome::Aborted },
            options(nostack),
        );
    }
    Outcome::Done
}

/// The CPU that this thread runs on, by its rseq area; `None` if it is not registered.
pub(crate) fn cpu(area: isize) -> Option<u32> {
    let cpu: u32;
    // SAFETY: `area` is glibc's offset of this thread's rseq area, 4 bytes of which are read.
    unsafe {
        core::arch::asm!(
            "mov {cpu:e}, fs:[{area} + 4]",
            cpu = out(reg) cpu,
            area = in(reg) area,
            options(nostack, readonly, preserves_flags),
        );
    }
    i32::try_from(cpu).is_ok().then_some(cpu)
}
