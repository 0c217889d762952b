"""The owner's answers to questions that customers ask, and the questions that nobody could answer.

entries       the answers
csv_file      the answers as a CSV or XLSX file
unanswered    what is still open, and learning an answer

Which entry a customer's words mean is decided in `conversations.faq`.
"""
