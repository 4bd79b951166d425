"""Forms, in menu order: the shape of what is typed, nothing about what it means."""

from flask_wtf import FlaskForm
