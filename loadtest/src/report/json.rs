//! `compare.json`: everything measured and the goals by their ids, for tools.

use std::path::Path;

use anyhow::Context as _;
use serde_json::{Map, Value, json};

use super::{comparison::Comparison, goals};

pub(crate) fn write(path: &Path, found: &Comparison) -> anyhow::Result<()> {
    let mut whole = serde_json::to_value(found)?;
    whole["goals"] = Value::Object(goals(found)?);
    let text = serde_json::to_string_pretty(&whole)? + "\n";
    std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}

fn goals(found: &Comparison) -> anyhow::Result<Map<String, Value>> {
    let mut all = Map::new();
    for goal in goals::goals(found) {
        let worst = goal.worst();
        let entry = json!({
            "what": goal.what,
            "value": worst.value,
            "floor": worst.floor,
            "goal": worst.goal,
            "better": worst.better,
            "floor_met": goal.floor_met(),
            "goal_met": goal.goal_met(),
            "parts": serde_json::to_value(&goal.parts)?,
        });
        all.insert(goal.id.to_owned(), entry);
    }
    Ok(all)
}
