//! The closed vocabularies of the conventions: each a small enum with its word on the wire.

/// What a person (or the system) did; the value of `casework.interaction`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A screen is shown, or a field is seen with a value and not changed. An instant.
    View,
    /// A field is typed into, from focus to blur.
    Entry,
    /// A field is chosen in (list, radio button, tick box).
    Choice,
    /// A button or link used.
    Action,
    /// A search field or form used, from focus to submit.
    Search,
    /// Moving to another screen.
    Navigation,
    /// Authenticating.
    SignIn,
    /// Leaving. An instant.
    SignOut,
    /// The worker is blocked by the system, from request to usable.
    Wait,
    /// The page goes out of sight. An instant.
    Hidden,
    /// The page comes back. An instant.
    Shown,
    /// A kind that the conventions do not know; stored, an instant.
    Other,
}

impl Kind {
    /// Every value, in the order of the conventions.
    pub const ALL: [Self; 12] = [
        Self::View,
        Self::Entry,
        Self::Choice,
        Self::Action,
        Self::Search,
        Self::Navigation,
        Self::SignIn,
        Self::SignOut,
        Self::Wait,
        Self::Hidden,
        Self::Shown,
        Self::Other,
    ];

    /// The word on the wire and in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Entry => "entry",
            Self::Choice => "choice",
            Self::Action => "action",
            Self::Search => "search",
            Self::Navigation => "navigation",
            Self::SignIn => "sign_in",
            Self::SignOut => "sign_out",
            Self::Wait => "wait",
            Self::Hidden => "hidden",
            Self::Shown => "shown",
            Self::Other => "other",
        }
    }

    /// The value that the word names, if it names one.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|value| value.as_str() == word)
    }
}

/// Who caused an interaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Trigger {
    /// The worker; the default.
    User,
    /// The system itself (auto-save, auto-refresh): never activity.
    System,
}

impl Trigger {
    /// Every value, in the order of the conventions.
    pub const ALL: [Self; 2] = [Self::User, Self::System];

    /// The word on the wire and in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::System => "system",
        }
    }

    /// The value that the word names, if it names one.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|value| value.as_str() == word)
    }
}

/// How a value came into its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    /// Keyed in; the default of an entry.
    Typed,
    /// Pasted.
    Pasted,
    /// Picked from a list; the default of a choice.
    Selected,
    /// Put there by the system.
    Prefilled,
    /// Put there by the browser.
    Autofilled,
}

impl Origin {
    /// Every value, in the order of the conventions.
    pub const ALL: [Self; 5] = [Self::Typed, Self::Pasted, Self::Selected, Self::Prefilled, Self::Autofilled];

    /// The word on the wire and in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Typed => "typed",
            Self::Pasted => "pasted",
            Self::Selected => "selected",
            Self::Prefilled => "prefilled",
            Self::Autofilled => "autofilled",
        }
    }

    /// The value that the word names, if it names one.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|value| value.as_str() == word)
    }
}

/// What kind of value a field holds; decides how it is normalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ValueKind {
    /// A person's or place's name.
    Name,
    /// A calendar date.
    Date,
    /// A number.
    Number,
    /// A reference number.
    Identifier,
    /// A postcode.
    Postcode,
    /// A telephone number.
    Phone,
    /// An e-mail address.
    Email,
    /// One of a list.
    Choice,
    /// Anything else.
    Text,
}

impl ValueKind {
    /// Every value, in the order of the conventions.
    pub const ALL: [Self; 9] = [
        Self::Name,
        Self::Date,
        Self::Number,
        Self::Identifier,
        Self::Postcode,
        Self::Phone,
        Self::Email,
        Self::Choice,
        Self::Text,
    ];

    /// The word on the wire and in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Date => "date",
            Self::Number => "number",
            Self::Identifier => "identifier",
            Self::Postcode => "postcode",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::Choice => "choice",
            Self::Text => "text",
        }
    }

    /// The value that the word names, if it names one.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|value| value.as_str() == word)
    }
}

/// How an interaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// As meant; the default.
    Ok,
    /// Refused by validation.
    Rejected,
    /// Error or outage.
    Failed,
    /// Work was lost.
    Lost,
    /// Given up.
    Abandoned,
}

impl Outcome {
    /// Every value, in the order of the conventions.
    pub const ALL: [Self; 5] = [Self::Ok, Self::Rejected, Self::Failed, Self::Lost, Self::Abandoned];

    /// The word on the wire and in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Lost => "lost",
            Self::Abandoned => "abandoned",
        }
    }

    /// The value that the word names, if it names one.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|value| value.as_str() == word)
    }
}
