//! The header is C11 and C++17 on its own, without a warning, and so are its macros.

mod toolchain;

use toolchain::{Language, succeed};

/// Includes it twice, and uses what only a preprocessor sees.
const PROGRAM: &str = r#"
#include <tallyboard.h>
#include <tallyboard.h>
int main(void);
int main(void) {
    const tb_label labels[] = { { "method", "GET" }, { "code", "200" } };
    tb_metric plain = TB_METRIC("a_total", "A.");
    tb_metric labelled = TB_METRIC_WITH_LABELS("b_total", "B.", labels);
    tb_board_options options = TB_BOARD_OPTIONS;
    tb_stats stats = TB_STATS;
    (void)plain, (void)options, (void)stats;
    return labelled.label_count == 2 ? TB_OK : TB_ABI_VERSION;
}
"#;

#[test]
fn the_header_is_c11_and_cpp17_without_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("macros.c");
    std::fs::write(&program, PROGRAM).unwrap();
    for language in [Language::C11, Language::Cpp17] {
        succeed(language.compiler().arg("-fsyntax-only").arg(&program));
    }
}
