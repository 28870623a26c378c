from fieldservice.tests.fixtures import english

__all__ = ["english"]
