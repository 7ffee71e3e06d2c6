"""Whom sources are asked about: a compacted topic with a question for each person, and what became of it."""

from services.questions.open_questions import Book, FeedQuestions
from services.questions.topic import Asking, Priority, State, question_of

__all__ = ["Asking", "Book", "FeedQuestions", "Priority", "State", "question_of"]
