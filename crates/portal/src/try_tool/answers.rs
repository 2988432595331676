//! What a visitor answers to what a server asked. The questions come back with the form, as the server wrote them: nothing
//! is kept between two pages, and whoever changes them on the way fools nobody else.

use portreeve_gateway::Answers;
use portreeve_gateway::respond::waits::KEY as APPROVAL;
use serde_json::{Map, Value, json};

use crate::fields::Fields;
use crate::view::{Asked, Question, QuestionField, QuestionKind};

/// The answers in a form, if it carries any; else the questions again, with what is wrong at each.
pub(super) fn read(fields: &Fields) -> Result<Option<Answers>, Asked> {
    let text = fields.exact("asked");
    if text.is_empty() {
        return Ok(None);
    }
    let Ok(mut asked) = Asked::from_form(&text, fields.exact("state")) else {
        // Not as we wrote it: then nothing was answered, and the server asks again.
        return Ok(None);
    };
    let accepts = fields.get("decision") != Some("decline");
    let mut responses = Map::new();
    for question in &mut asked.questions {
        let response = match question {
            Question::Other { .. } => json!({"action": "cancel"}),
            _ if !accepts => json!({"action": "decline"}),
            Question::Page { .. } => json!({"action": "accept"}),
            Question::Form { fields: all, .. } => {
                json!({"action": "accept", "content": content(all, fields)})
            }
        };
        responses.insert(question.key().to_owned(), response);
    }
    if accepts && asked.is_wrong() {
        return Err(asked);
    }
    Ok(Some(Answers {
        responses,
        state: asked.state,
    }))
}

/// Whether it is about a call that a person must allow first.
pub(super) fn is_about_approval(answers: &Answers) -> bool {
    answers.responses.contains_key(APPROVAL)
}

fn content(all: &mut [QuestionField], fields: &Fields) -> Map<String, Value> {
    let mut content = Map::new();
    for field in all {
        match value(field, fields) {
            Ok(Some(value)) => {
                content.insert(field.property.clone(), value);
            }
            Ok(None) if field.required => field.problem = Some("An answer is needed here.".to_owned()),
            Ok(None) => {}
            Err(problem) => field.problem = Some(problem.to_owned()),
        }
        field.take(fields);
    }
    content
}

fn value(field: &QuestionField, fields: &Fields) -> Result<Option<Value>, &'static str> {
    let typed = fields.get(&field.name);
    Ok(match &field.kind {
        QuestionKind::Tick => Some(json!(typed == Some("yes"))),
        QuestionKind::Whole => match typed.map(str::parse::<i64>) {
            None => None,
            Some(Ok(number)) => Some(json!(number)),
            Some(Err(_)) => return Err("Write a whole number."),
        },
        QuestionKind::Number => match typed.map(str::parse::<f64>) {
            None => None,
            Some(Ok(number)) if number.is_finite() => Some(json!(number)),
            Some(_) => return Err("Write a number, such as 2.5."),
        },
        QuestionKind::Many(choices) => {
            let offered = |value: &&str| choices.iter().any(|choice| choice.value == **value);
            let chosen: Vec<&str> = fields.all(&field.name).filter(offered).collect();
            (!chosen.is_empty()).then(|| json!(chosen))
        }
        QuestionKind::Choice(choices) => {
            let typed = typed.filter(|typed| choices.iter().any(|choice| choice.value == *typed));
            typed.map(|typed| json!(typed))
        }
        QuestionKind::Line(_) => typed.map(|typed| json!(typed)),
    })
}
