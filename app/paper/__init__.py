"""The paper venue: an exchange with play money, whole but for the money."""
