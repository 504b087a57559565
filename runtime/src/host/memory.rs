use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Call,
    typed::{Answered, object, parsed},
    typed_bindings::mirra::function::memory::{
        Changes, Entity, Host, NewEntity, NewTask, Page, QueryParams, SearchParams, Summary, Wanted,
    },
};

/// An entity as the operations answer it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Read {
    id: String,
    r#type: String,
    name: String,
    content: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    priority: String,
    tags: Vec<String>,
    metadata: Value,
    graph_id: String,
    created_at: String,
    #[serde(default)]
    updated_at: String,
    #[serde(default)]
    created_by_user_id: String,
    #[serde(default)]
    due_at: String,
    #[serde(default)]
    score: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReadPage {
    results: Vec<Read>,
    total_count: u64,
}

#[derive(Deserialize)]
struct Graphs {
    graphs: Vec<Graph>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Graph {
    graph_id: String,
}

impl From<Read> for Entity {
    fn from(read: Read) -> Entity {
        Entity {
            id: read.id,
            kind: read.r#type,
            name: read.name,
            content: read.content,
            status: read.status,
            priority: read.priority,
            tags: read.tags,
            metadata: read.metadata.to_string(),
            graph_id: read.graph_id,
            created_at: read.created_at,
            updated_at: read.updated_at,
            created_by_user_id: read.created_by_user_id,
            due_at: read.due_at,
        }
    }
}

impl From<Read> for Summary {
    fn from(read: Read) -> Summary {
        Summary {
            id: read.id,
            kind: read.r#type,
            name: read.name,
            content: read.content,
            tags: read.tags,
            metadata: read.metadata.to_string(),
            graph_id: read.graph_id,
            created_at: read.created_at,
            score: read.score,
        }
    }
}

impl From<ReadPage> for Page {
    fn from(read: ReadPage) -> Page {
        Page { results: read.results.into_iter().map(Summary::from).collect(), total_count: read.total_count }
    }
}

/// JSON that was given as text, or the refusal of the whole function.
macro_rules! given {
    ($field:literal, $text:expr) => {
        match $text.as_deref().map(|text| parsed($field, text)).transpose() {
            Ok(json) => json,
            Err(failure) => return Ok(Err(failure)),
        }
    };
}

impl Host for Call {
    async fn create(&mut self, entity: NewEntity) -> Answered<Entity> {
        let NewEntity { kind, content, name, metadata, tags, group_id } = entity;
        let params = object([
            ("type", Some(kind.into())),
            ("content", Some(content.into())),
            ("name", name.map(Value::from)),
            ("metadata", given!("metadata", metadata)),
            ("tags", (!tags.is_empty()).then(|| tags.into())),
            ("groupId", group_id.map(Value::from)),
        ]);
        Ok(self.perform::<Read>("memory.create", params).await?.map(Entity::from))
    }

    async fn create_task(&mut self, task: NewTask) -> Answered<Entity> {
        let NewTask { content, name, assigned_to, due_at, priority, tags, group_id } = task;
        let params = object([
            ("content", Some(content.into())),
            ("name", name.map(Value::from)),
            ("assignedTo", assigned_to.map(Value::from)),
            ("dueAt", due_at.map(Value::from)),
            ("priority", priority.map(Value::from)),
            ("tags", (!tags.is_empty()).then(|| tags.into())),
            ("groupId", group_id.map(Value::from)),
        ]);
        Ok(self.perform::<Read>("memory.createTask", params).await?.map(Entity::from))
    }

    async fn search(&mut self, params: SearchParams) -> Answered<Page> {
        let SearchParams { query, kinds, start_time, end_time, limit, group_id } = params;
        let params = object([
            ("query", Some(query.into())),
            ("types", (!kinds.is_empty()).then(|| kinds.into())),
            ("startTime", start_time.map(Value::from)),
            ("endTime", end_time.map(Value::from)),
            ("limit", limit.map(Value::from)),
            ("groupId", group_id.map(Value::from)),
        ]);
        Ok(self.perform::<ReadPage>("memory.search", params).await?.map(Page::from))
    }

    async fn query(&mut self, params: QueryParams) -> Answered<Page> {
        let QueryParams { kind, limit, offset, group_id } = params;
        let params = object([
            ("type", kind.map(Value::from)),
            ("limit", limit.map(Value::from)),
            ("offset", offset.map(Value::from)),
            ("groupId", group_id.map(Value::from)),
        ]);
        Ok(self.perform::<ReadPage>("memory.query", params).await?.map(Page::from))
    }

    async fn find_one(&mut self, wanted: Wanted) -> Answered<Option<Entity>> {
        let params = match wanted {
            Wanted::Id(id) => json!({ "id": id }),
            Wanted::Name(name) => json!({ "filters": { "name": name } }),
        };
        Ok(self.perform::<Option<Read>>("memory.findOne", params).await?.map(|found| found.map(Entity::from)))
    }

    async fn update(&mut self, id: String, changes: Changes) -> Answered<()> {
        let Changes { kind, name, content, metadata } = changes;
        let params = object([
            ("id", Some(id.into())),
            ("type", kind.map(Value::from)),
            ("name", name.map(Value::from)),
            ("content", content.map(Value::from)),
            ("metadata", given!("metadata", metadata)),
        ]);
        Ok(self.performed("memory.update", params.to_string()).await?.map(drop))
    }

    async fn delete(&mut self, id: String) -> Answered<()> {
        Ok(self.performed("memory.delete", json!({ "id": id }).to_string()).await?.map(drop))
    }

    async fn share(&mut self, entity_id: String, target_graph_id: String) -> Answered<()> {
        let params = json!({ "entityId": entity_id, "targetGraphId": target_graph_id });
        Ok(self.performed("memory.share", params.to_string()).await?.map(drop))
    }

    async fn unshare(&mut self, entity_id: String, graph_id: String) -> Answered<()> {
        let params = json!({ "entityId": entity_id, "graphId": graph_id });
        Ok(self.performed("memory.unshare", params.to_string()).await?.map(drop))
    }

    async fn list_graphs(&mut self, entity_id: String) -> Answered<Vec<String>> {
        let graphs = self.perform::<Graphs>("memory.listGraphs", json!({ "entityId": entity_id })).await?;
        Ok(graphs.map(|read| read.graphs.into_iter().map(|graph| graph.graph_id).collect()))
    }
}
