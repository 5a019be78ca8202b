//! A cell of the shared plane: the pair `{value, tag}`, changed only by a 16-byte CAS.
//!
//! Value and tag change together or not at all, so an update that was prepared for one
//! life of a slot can never land in another. This type has no plain store, and the CPU
//! planes have no pair: the two kinds of word cannot be mixed by mistake.

#[cfg(not(all(test, arena_loom)))]
mod machine {
    use crate::sync::{AtomicU64, Ordering};
    use core::marker::PhantomData;
    use core::ptr::NonNull;

    /// One 16-byte cell. Invariant: `at` is the aligned address of 16 mapped bytes for `'r`.
    #[derive(Clone, Copy)]
    pub(crate) struct Pair<'r> {
        at: NonNull<u8>,
        region: PhantomData<&'r AtomicU64>,
    }

    impl Pair<'_> {
        /// # Safety
        /// `at` is aligned to 16 and the 16 bytes behind it stay mapped for the lifetime.
        #[inline]
        pub(crate) unsafe fn new(at: NonNull<u8>) -> Self {
            Pair {
                at,
                region: PhantomData,
            }
        }

        #[inline]
        fn half(&self, index: usize) -> &AtomicU64 {
            // SAFETY: both halves, 0 and 1, lie inside the 16 bytes of the invariant.
            let half = unsafe { self.at.cast::<AtomicU64>().add(index) };
            // SAFETY: mapped and aligned by the invariant; any bits are an AtomicU64.
            unsafe { half.as_ref() }
        }

        /// The value, as a word of its own. Means something only between two loads of the
        /// same tag, or as what a CAS expects.
        #[inline]
        pub(crate) fn value(&self) -> u64 {
            // ORDERING: [U2] Acquire: the second look at the tag comes after this load.
            self.half(0).load(Ordering::Acquire)
        }

        /// The tag of the life that the value belongs to.
        #[inline]
        pub(crate) fn tag(&self) -> u64 {
            // ORDERING: [P1] Acquire; pairs with the CAS below. Whoever sees a tag also
            // sees the state word that its writer saw.
            self.half(1).load(Ordering::Acquire)
        }

        /// Replaces `{value, tag}` if it is exactly `current`. One `lock cmpxchg16b`.
        #[cfg(target_arch = "x86_64")]
        #[inline]
        pub(crate) fn compare_exchange(&self, current: (u64, u64), new: (u64, u64)) -> bool {
            #[cfg(arena_tsan)]
            let _told = super::sanitizer::Swap::begin([self.half(0), self.half(1)]);
            let outcome: u64;
            // ORDERING: [P1] [U2] Release and Acquire: a locked instruction is both.
            // SAFETY: RDI holds the address of 16 mapped, aligned bytes (invariant). RBX,
            // which LLVM keeps for itself, is saved in a register of its own and restored;
            // no operand can be RBX, since the pointer is pinned to RDI and the rest named.
            unsafe {
                core::arch::asm!(
                    "mov {saved}, rbx",
                    "mov rbx, rsi",
                    "lock cmpxchg16b [rdi]",
                    "sete sil",
                    "mov rbx, {saved}",
                    saved = out(reg) _,
                    in("rdi") self.at.as_ptr(),
                    inout("rsi") new.0 => outcome,
                    in("rcx") new.1,
                    inout("rax") current.0 => _,
                    inout("rdx") current.1 => _,
                    options(nostack),
                );
            }
            // `sete` wrote the low byte only.
            outcome & 0xff != 0
        }

        /// Replaces `{value, tag}` if it is exactly `current`, by an exclusive pair.
        /// Tested under emulation only.
        #[cfg(target_arch = "aarch64")]
        #[inline]
        pub(crate) fn compare_exchange(&self, current: (u64, u64), new: (u64, u64)) -> bool {
            let failed: u64;
            // ORDERING: [P1] [U2] Release and Acquire: `ldaxp` and `stlxp`.
            // SAFETY: the address is 16 mapped, aligned bytes (invariant). A mismatch stores
            // what was read, because only a successful `stlxp` proves that the two halves
            // were read together.
            unsafe {
                core::arch::asm!(
                    "2: ldaxp {old0}, {old1}, [{at}]",
                    "cmp {old0}, {cur0}",
                    "ccmp {old1}, {cur1}, #0, eq",
                    "csel {put0}, {new0}, {old0}, eq",
                    "csel {put1}, {new1}, {old1}, eq",
                    "cset {failed}, ne",
                    "stlxp {retry:w}, {put0}, {put1}, [{at}]",
                    "cbnz {retry:w}, 2b",
                    at = in(reg) self.at.as_ptr(),
                    cur0 = in(reg) current.0,
                    cur1 = in(reg) current.1,
                    new0 = in(reg) new.0,
                    new1 = in(reg) new.1,
                    old0 = out(reg) _,
                    old1 = out(reg) _,
                    put0 = out(reg) _,
                    put1 = out(reg) _,
                    retry = out(reg) _,
                    failed = out(reg) failed,
                    options(nostack),
                );
            }
            failed == 0
        }
    }
}
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
compile_error!("a board needs a 16-byte compare-and-swap: x86-64 or aarch64");
#[cfg(not(all(test, arena_loom)))]
pub(crate) use machine::Pair;

/// Tells ThreadSanitizer what it cannot see, because it does not look into assembly: that both
/// halves are read, and that the swap is a Release and an Acquire. A swap that fails is told as
/// a Release too, since it must be told before: this may hide a race, and never makes one up.
/// In a build with `--cfg arena_tsan` only.
#[cfg(arena_tsan)]
mod sanitizer {
    use crate::sync::{AtomicU64, Ordering};
    use core::ffi::c_void;

    unsafe extern "C" {
        fn __tsan_acquire(address: *mut c_void);
        fn __tsan_release(address: *mut c_void);
    }

    fn address(half: &AtomicU64) -> *mut c_void {
        half.as_ptr().cast()
    }

    pub(super) struct Swap<'r>([&'r AtomicU64; 2]);

    impl<'r> Swap<'r> {
        pub(super) fn begin(halves: [&'r AtomicU64; 2]) -> Swap<'r> {
            for half in halves {
                // Relaxed: says only that it is read.
                half.load(Ordering::Relaxed);
                // SAFETY: any address; the runtime keeps a clock for it and does not touch it.
                unsafe { __tsan_release(address(half)) };
            }
            Swap(halves)
        }
    }

    impl Drop for Swap<'_> {
        fn drop(&mut self) {
            for half in self.0 {
                // SAFETY: as above.
                unsafe { __tsan_acquire(address(half)) };
            }
        }
    }
}

#[cfg(all(test, not(arena_loom)))]
mod tests {
    use super::Pair;
    use core::cell::UnsafeCell;
    use core::ptr::NonNull;

    #[repr(align(16))]
    struct Words(UnsafeCell<[u64; 2]>);

    /// A word that is no atomic, and may be read and written by several threads.
    struct Plain(UnsafeCell<u64>);

    // SAFETY: only a `Pair` changes it.
    unsafe impl Sync for Words {}
    // SAFETY: the tests below order every access but one, which is a race on purpose.
    unsafe impl Sync for Plain {}

    impl Words {
        fn pair(&self) -> Pair<'_> {
            let at = NonNull::new(self.0.get()).unwrap().cast();
            // SAFETY: 16 bytes, aligned by the type, which live as long as the reference.
            unsafe { Pair::new(at) }
        }
    }

    impl Plain {
        fn set(&self, value: u64) {
            // SAFETY: a word of its own.
            unsafe { *self.0.get() = value };
        }

        fn get(&self) -> u64 {
            // SAFETY: as above.
            unsafe { *self.0.get() }
        }
    }

    fn hand_over(write: impl Fn(&Plain, Pair<'_>) + Sync) -> u64 {
        let plain = Plain(UnsafeCell::new(0));
        let words = Words(UnsafeCell::new([0; 2]));
        std::thread::scope(|scope| {
            scope.spawn(|| write(&plain, words.pair()));
            while words.pair().tag() != 1 {
                std::thread::yield_now();
            }
            plain.get()
        })
    }

    /// Under ThreadSanitizer also: what it is told of a swap is enough for it to see this.
    #[test]
    fn who_sees_a_swap_sees_what_was_written_before_it() {
        let seen = hand_over(|plain, pair| {
            plain.set(7);
            assert!(pair.compare_exchange((0, 0), (0, 1)));
        });
        assert_eq!(seen, 7);
    }

    /// A race on purpose, for `tests/ci/tsan.sh` to be told of: not a test.
    #[cfg(arena_tsan)]
    #[test]
    #[ignore = "ThreadSanitizer has to find it"]
    fn a_race() {
        // Again and again: what threads did that are gone is not remembered for long.
        for _ in 0..100 {
            hand_over(|plain, pair| {
                assert!(pair.compare_exchange((0, 0), (0, 1)));
                plain.set(7);
            });
        }
    }
}

/// loom has no 16-byte atomics: a modelled pair is one word, a small value and what the tag
/// says. Its two halves are still loaded one after the other, as on the machine.
#[cfg(all(test, arena_loom))]
mod modelled {
    use crate::mutation::{self, Mutation};
    use crate::slot::{Slot, State, fold_name, of_fold_name};
    use crate::sync::{AtomicU64, Ordering};

    #[derive(Clone, Copy)]
    pub(crate) struct Pair<'r>(&'r AtomicU64);

    const VALUE: u64 = (1 << 24) - 1;

    /// `serial:32 | slot + 1 of a fold's name:8 | value:24`.
    fn pack((value, tag): (u64, u64)) -> u64 {
        let (serial, slot) = match (State::of(tag), of_fold_name(tag)) {
            (State::Free, _) => (0, 0),
            (State::Ready { serial }, _) => (serial, 0),
            (_, Some((slot, serial))) => (serial, u64::from(slot) + 1),
            (other, None) => panic!("{other:?} is not a tag"),
        };
        assert!(value <= VALUE && slot <= 0xff && serial <= u64::from(u32::MAX));
        serial << 32 | slot << 24 | value
    }

    fn acquire() -> Ordering {
        mutation::ordering(Mutation::PairRelaxed, Ordering::Acquire, Ordering::Relaxed)
    }

    impl<'r> Pair<'r> {
        pub(crate) fn new(word: &'r AtomicU64) -> Self {
            Pair(word)
        }

        pub(crate) fn value(&self) -> u64 {
            self.0.load(acquire()) & VALUE
        }

        pub(crate) fn tag(&self) -> u64 {
            let word = self.0.load(acquire());
            match (word >> 32, (word >> 24) as u8) {
                (0, _) => 0,
                (serial, 0) => State::Ready { serial }.word(),
                (serial, slot) => fold_name(Slot(u32::from(slot) - 1), serial),
            }
        }

        pub(crate) fn compare_exchange(&self, current: (u64, u64), new: (u64, u64)) -> bool {
            self.0
                .compare_exchange(
                    pack(current),
                    pack(new),
                    mutation::ordering(Mutation::PairRelaxed, Ordering::AcqRel, Ordering::Relaxed),
                    Ordering::Relaxed,
                )
                .is_ok()
        }
    }
}
#[cfg(all(test, arena_loom))]
pub(crate) use modelled::Pair;
