//! What systemd is told, where it asked to be: that the exporter is up, reloads or stops, and
//! that it is still alive. Elsewhere nothing happens.

use std::time::Duration;

use sd_notify::NotifyState;

/// Whether somebody listens.
pub(super) fn is_there() -> bool {
    std::env::var_os("NOTIFY_SOCKET").is_some()
}

/// Requests are answered from now on.
pub(super) fn ready(places: &[String]) {
    let status = format!("serving {}", places.join(", "));
    tell(&[NotifyState::Ready, NotifyState::Status(&status)]);
}

/// Does `work`, which somebody has asked for with `systemctl reload`.
pub(super) fn reload(work: impl FnOnce()) {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!("cannot tell systemd of the reload: {error}"),
    }
    work();
    tell(&[NotifyState::Ready]);
}

/// Requests in flight are answered, and then it is over.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Says that the exporter is alive, twice as often as systemd asked for, for ever. What runs
/// this must be what answers requests, or it would be no proof.
pub(super) async fn stay_alive() {
    let Some(limit) = sd_notify::watchdog_enabled().filter(|limit| *limit > Duration::ZERO) else {
        return;
    };
    let mut tick = tokio::time::interval(limit / 2);
    loop {
        tick.tick().await;
        tell(&[NotifyState::Watchdog]);
    }
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!("cannot tell systemd: {error}");
    }
}
