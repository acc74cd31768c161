//! Says where a started server is: to scripts in `demo.json`, to people on standard output.

use std::io::Write as _;

use super::{
    JournalKind, Settings,
    casts::Casts,
    describe::{Addresses, curl, describe, shown_reseller},
};
use crate::serve::Server;

pub(super) async fn announce(
    server: &Server,
    casts: &Casts,
    settings: &Settings,
    database_url: &str,
) -> anyhow::Result<()> {
    let addresses = Addresses {
        http: format!("http://{}", server.address()),
        ops: format!("http://{}", server.ops_address()),
        database: database_url.to_owned(),
    };
    let greeting = greeting(&addresses, casts, settings);
    let app = server.app();
    let file = describe(addresses, casts, &app.database, &app.engine).await?;
    file.write(&settings.state_dir)?;
    let mut out = std::io::stdout().lock();
    out.write_all(greeting.as_bytes())?;
    out.flush()?;
    Ok(())
}

fn greeting(addresses: &Addresses, casts: &Casts, settings: &Settings) -> String {
    let cast = &casts.demo;
    let line = |what: &str, value: &str| format!("{what:<22}{value}\n");
    let mut text = line("Consign answers on", &addresses.http);
    text += &line("metrics and health", &addresses.ops);
    text += &line("merchant key", cast.key.expose().expose());
    if let Some(reseller) = shown_reseller(cast) {
        text += &line("reseller key", reseller.key.expose().expose());
    }
    let shown = shown_reseller(cast).map(|reseller| reseller.id);
    let mut log_ins = cast.resellers.iter().zip(&casts.people.resellers);
    let reseller = log_ins.find(|(reseller, _)| Some(reseller.id) == shown);
    for (what, log_in) in [
        ("merchant signs in", Some(&casts.people.owner)),
        ("reseller signs in", reseller.map(|(_, log_in)| log_in)),
    ] {
        let Some(log_in) = log_in else { continue };
        let both = format!("{}  {}", log_in.email, log_in.password.expose());
        text += &line(what, &both);
    }
    let file = settings.state_dir.join("demo.json");
    text += &line("everything else", &file.display().to_string());
    match settings.journal {
        JournalKind::Postgres => {}
        JournalKind::Memory => text += "\nThe journal is memory: what is sold now is forgotten.\n",
    }
    if let Some(curl) = curl(&addresses.http, cast) {
        text += "\nDeliver a serial. The same line again shows the same one:\n\n";
        text += &curl;
        text += "\n\n";
    }
    text
}
